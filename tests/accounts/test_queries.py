"""Who sees which records: alice may, bob of her team may, charlie may not; managers and admins by their roles."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import queries
from accounts.choices import Vocabulary
from accounts.models import Account
from segmentation_crm.common.models import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """Alice and bob of one team (bob leads it), charlie of another, each with what they may do."""
    team, other = factories.TeamFactory(), factories.TeamFactory()
    return {
        "alice": factories.UserFactory(username="alice", role=Role.SALES_REP, team=team),
        "bob": factories.UserFactory(username="bob", role=Role.SALES_MANAGER, team=team),
        "charlie": factories.UserFactory(username="charlie", role=Role.SALES_REP, team=other),
        "chief": factories.UserFactory(username="chief", role=Role.SALES_MANAGER, team=other),
        "admin": factories.UserFactory(username="the_admin", role=Role.ADMIN),
        "viewer": factories.UserFactory(username="viewer", role=Role.VIEWER),
    }


def seers(people, visible_to, record):
    """Return the names of those who see the record."""
    return {name for name, user in people.items() if visible_to(user).filter(pk=record.pk).exists()}


HERS = {"alice", "bob", "admin", "viewer"}
ALL_SEEING = {"admin", "viewer"}


@pytest.mark.parametrize("column", ["owner", "sdr"])
def test_an_account_is_seen_by_owner_and_sdr(people, column):
    account = factories.AccountFactory(**{column: people["alice"]})
    assert seers(people, queries.accounts_visible_to, account) == HERS


def test_an_account_is_seen_by_country(people):
    factories.TerritoryFactory(countries=["FR", "ES"], users=[people["alice"]])
    assert seers(people, queries.accounts_visible_to, factories.AccountFactory(country="FR")) == HERS
    assert seers(people, queries.accounts_visible_to, factories.AccountFactory(country="DE")) == ALL_SEEING


def test_a_territory_of_the_team_counts_for_its_members(people):
    factories.TerritoryFactory(countries=["FR"], teams=[people["alice"].team])
    assert seers(people, queries.accounts_visible_to, factories.AccountFactory(country="FR")) == HERS


def test_an_account_is_seen_by_sales_region_at_or_under_the_node(people):
    emea = factories.TermFactory(vocabulary=Vocabulary.SALES_REGION, slug="emea")
    north = factories.TermFactory(vocabulary=Vocabulary.SALES_REGION, slug="north", parent=emea)
    other = factories.TermFactory(vocabulary=Vocabulary.SALES_REGION, slug="apac")
    factories.TerritoryFactory(region_slugs=["emea"], users=[people["alice"]])
    for region, expected in ((emea, HERS), (north, HERS), (other, ALL_SEEING)):
        account = factories.AccountFactory(sales_region=region)
        assert seers(people, queries.accounts_visible_to, account) == expected


def test_an_account_of_nobody_is_seen_by_those_who_see_everything(people):
    assert seers(people, queries.accounts_visible_to, factories.AccountFactory()) == ALL_SEEING


@pytest.mark.parametrize(
    ("factory", "visible_to"),
    [
        (factories.ContactFactory, queries.contacts_visible_to),
        (factories.OpportunityFactory, queries.opportunities_visible_to),
    ],
)
class TestContactsAndOpportunities:
    def test_they_follow_their_account(self, people, factory, visible_to):
        assert seers(people, visible_to, factory(account__owner=people["alice"])) == HERS

    def test_they_are_seen_by_their_own_owner(self, people, factory, visible_to):
        record = factory(owner=people["charlie"], account__owner=people["alice"])
        assert seers(people, visible_to, record) == HERS | {"charlie", "chief"}

    def test_without_account_and_owner_reps_do_not_see_them(self, people, factory, visible_to):
        assert seers(people, visible_to, factory(account=None)) == {"bob", "chief", "admin", "viewer"}

    def test_deleted_ones_are_seen_by_nobody(self, people, factory, visible_to):
        record = factory(account__owner=people["alice"])
        type(record).objects.filter(pk=record.pk).update(deleted_at=record.created_at)
        assert seers(people, visible_to, record) == set()


def test_merged_and_erased_contacts_are_seen_by_nobody(people):
    kept = factories.ContactFactory()
    merged = factories.ContactFactory(merged_into=kept)
    erased = factories.ContactFactory(erased_at=kept.created_at)
    assert seers(people, queries.contacts_visible_to, merged) == set()
    assert seers(people, queries.contacts_visible_to, erased) == set()


FOLLOWERS = [
    (lambda account: factories.ActivityFactory(contact=None, account=account), queries.activities_visible_to),
    (lambda account: factories.PurchaseFactory(account=account), queries.purchases_visible_to),
    (lambda account: factories.ContractFactory(account=account), queries.contracts_visible_to),
    (lambda account: factories.SupportCaseFactory(account=account), queries.support_cases_visible_to),
    (lambda account: factories.AccountTechnologyFactory(account=account), queries.technologies_visible_to),
    (lambda account: factories.NeedFactory(account=account), queries.needs_visible_to),
    (
        lambda account: factories.NeedFactory(account=None, contact=factories.ContactFactory(account=account)),
        queries.needs_visible_to,
    ),
    (lambda account: factories.SurveyAnswerFactory(account=account), queries.survey_answers_visible_to),
    (lambda account: factories.ConsentFactory(contact__account=account), queries.consents_visible_to),
    (lambda account: factories.TaskFactory(account=account), queries.tasks_visible_to),
    (lambda account: factories.NoteFactory(account=account), queries.notes_visible_to),
    (
        lambda account: factories.NoteFactory(account=None, contact=factories.ContactFactory(account=account)),
        queries.notes_visible_to,
    ),
    (
        lambda account: factories.NoteFactory(account=None, opportunity=factories.OpportunityFactory(account=account)),
        queries.notes_visible_to,
    ),
    (
        lambda account: factories.ContactFactory(account=account).account_links.get(),
        queries.contact_accounts_visible_to,
    ),
    (
        lambda account: factories.OpportunityLineFactory(opportunity__account=account),
        queries.opportunity_lines_visible_to,
    ),
    (
        lambda account: factories.OpportunityContactFactory(opportunity__account=account),
        queries.opportunity_contacts_visible_to,
    ),
    (lambda account: factories.FieldHistoryFactory(record_id=account.pk, field="x"), queries.field_history_visible_to),
    (lambda account: factories.ProvenanceFactory(record_id=account.pk), queries.provenance_visible_to),
    (lambda account: factories.ExternalIdFactory(record_id=account.pk), queries.external_ids_visible_to),
]


@pytest.mark.parametrize(("make", "visible_to"), FOLLOWERS)
def test_rows_follow_their_account(people, make, visible_to):
    """Seen with the account, by nobody once it is deleted, and never by a user who may not log in."""
    account = factories.AccountFactory(owner=people["alice"])
    row = make(account)
    assert seers(people, visible_to, row) == HERS
    assert not visible_to(AnonymousUser()).exists()
    inactive = factories.UserFactory(is_active=False)
    assert not visible_to(inactive).exists()


def test_rows_of_a_deleted_account_are_seen_by_nobody(people):
    account = factories.AccountFactory(owner=people["alice"])
    purchase = factories.PurchaseFactory(account=account)
    Account.objects.filter(pk=account.pk).update(deleted_at=account.created_at)
    assert seers(people, queries.purchases_visible_to, purchase) == set()


def test_an_activity_stays_with_the_account_it_happened_at(people):
    contact = factories.ContactFactory(account__owner=people["charlie"])
    activity = factories.ActivityFactory(contact=contact, account=factories.AccountFactory(owner=people["alice"]))
    assert seers(people, queries.activities_visible_to, activity) == HERS


def test_an_activity_without_account_follows_contact_then_opportunity(people):
    contact = factories.ContactFactory(account=None, owner=people["alice"])
    assert seers(people, queries.activities_visible_to, factories.ActivityFactory(contact=contact)) == HERS
    opportunity = factories.OpportunityFactory(account=None, owner=people["alice"])
    activity = factories.ActivityFactory(contact=None, opportunity=opportunity)
    assert seers(people, queries.activities_visible_to, activity) == HERS


def test_an_activity_is_seen_by_who_logged_it(people):
    activity = factories.ActivityFactory(contact=None, account=factories.AccountFactory(), user=people["alice"])
    assert seers(people, queries.activities_visible_to, activity) == HERS


def test_an_activity_of_nobody_is_seen_by_managers(people):
    activity = factories.ActivityFactory(contact=None)
    assert seers(people, queries.activities_visible_to, activity) == {"bob", "chief", "admin", "viewer"}


def test_a_task_without_record_is_seen_by_its_owner_and_the_owners_manager(people):
    task = factories.TaskFactory(account=None, owner=people["alice"])
    assert seers(people, queries.tasks_visible_to, task) == HERS


def test_catalogues_are_seen_by_everyone_who_is_active(people):
    product = factories.ProductFactory()
    assert seers(people, queries.products_visible_to, product) == set(people)
    assert not queries.products_visible_to(AnonymousUser()).exists()


@pytest.mark.parametrize("name", ["accounts", "contacts", "opportunities", "activities", "purchases", "tasks"])
def test_no_row_is_doubled_and_the_number_of_queries_is_fixed(people, name):
    """Owner, SDR and territory at once give one row, in at most four queries."""
    factories.TerritoryFactory(countries=["FR"], users=[people["alice"]])
    factories.TerritoryFactory(countries=["FR"], teams=[people["alice"].team])
    account = factories.AccountFactory(owner=people["alice"], sdr=people["alice"], country="FR")
    contact = factories.ContactFactory(account=account, owner=people["alice"])
    opportunity = factories.OpportunityFactory(account=account, owner=people["alice"])
    factories.ActivityFactory(contact=contact, opportunity=opportunity, user=people["alice"])
    factories.PurchaseFactory(account=account, contact=contact)
    factories.TaskFactory(account=account, owner=people["alice"])
    with CaptureQueriesContext(
        connection,
    ) as captured:
        rows = list(getattr(queries, f"{name}_visible_to")(people["alice"]))
    assert len(rows) == 1
    assert len(captured) <= 4


def test_an_unmatched_contact_is_listed_for_those_who_see_it(people):
    contact = factories.ContactFactory(account=None)
    factories.ContactFactory(account__owner=people["alice"])
    assert list(queries.unmatched_contacts(people["bob"])) == [contact]
    assert list(queries.unmatched_contacts(people["alice"])) == []


def test_a_term_is_found_by_slug_name_and_alias():
    term = factories.TermFactory(name="Überraschung", slug="surprise")
    factories.TermAliasFactory(term=term, text="Wow")
    for text in ("surprise", " ÜBERRASCHUNG ", "wow"):
        assert queries.resolve_term("tag", text) == term
    assert queries.resolve_term("tag", "unknown") is None
    assert queries.resolve_term("need", "surprise") is None
    found = queries.resolve_terms("tag", ["Surprise", "überraschung", "WOW", "unknown", ""])
    assert found == {"surprise": term, "überraschung": term, "wow": term}


def test_a_catalogue_entry_is_found_by_slug_name_and_alias():
    product = factories.ProductFactory(name="Big Box", slug="bb")
    factories.CatalogueAliasFactory(record_id=product.pk, text="Large box")
    for text in ("bb", "BIG BOX", "large BOX"):
        assert queries.resolve_catalogue("product", text) == product
    assert queries.resolve_catalogue("product", "small box") is None
    stage = factories.StageFactory(name="Trial")
    assert queries.resolve_catalogue("stage", "trial", stage.pipeline) == stage
    assert queries.resolve_catalogue("stage", "trial", factories.PipelineFactory()) is None


def test_codes_stand_in_their_trees():
    code = queries.resolve_code("sic", "3571")
    assert code.title == "Electronic Computers"
    assert [c.code for c in queries.codes_under(queries.resolve_code("sic", "357"))][:2] == ["357", "3571"]
    assert queries.codes_under(queries.resolve_code("sic", "d")).filter(pk=code.pk).exists()
    assert queries.resolve_code("naics", "31-33").children.count() == 21
