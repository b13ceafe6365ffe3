"""Finding: only what one may see, as answers of the palette, of the search page and of what was opened lately."""

import pytest

from segmentation_crm.common.models import RecentItem
from segmentation_crm.finding.pages import ACTIONS
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """A rep with an account, the manager of the rep's team, and a rep of another team."""
    here, there = factories.TeamFactory(), factories.TeamFactory()
    rep = factories.UserFactory(role="sales_rep", team=here)
    manager = factories.UserFactory(role="sales_manager", team=here)
    stranger = factories.UserFactory(role="sales_rep", team=there)
    account = factories.AccountFactory(name="Straße & Söhne", domain="strasse.example", owner=rep)
    factories.ContactFactory(account=account, first_name="Ana", last_name="Strasser", email="ana@strasse.example")
    return rep, manager, stranger, account


def found(client, user, text=""):
    client.force_login(user)
    groups = client.get("/find/", {"q": text}).json()["groups"]
    return {group["title"]: [item["label"] for item in group["items"]] for group in groups}


@pytest.mark.parametrize("text", ["strasse", "STRASSE", "söhne", "stras"])
def test_records_are_found_by_those_who_see_them(client, people, text):
    rep, manager, stranger, _ = people
    assert "Accounts" not in found(client, stranger, text)
    for user in (rep, manager):
        assert found(client, user, text)["Accounts"] == ["Straße & Söhne"]


def test_names_that_begin_with_the_text_come_first(client):
    for name in ("A Kessler", "Kessler B", "Kessler A", "Z-Kessler"):
        factories.AccountFactory(name=name)
    admin = factories.UserFactory()
    assert found(client, admin, "kessler")["Accounts"] == ["Kessler A", "Kessler B", "A Kessler", "Z-Kessler"]


def test_pages_and_actions_follow_the_role(client):
    admin, viewer = factories.UserFactory(), factories.UserFactory(role="viewer")
    assert "New account" in found(client, admin, "new acc")["Actions"]
    assert "Actions" not in found(client, viewer, "new acc")
    assert found(client, viewer, "segm")["Pages"] == ["Segments"]
    assert found(client, admin, "company add")["Actions"] == ["New account"]


def test_every_action_leads_somewhere(client):
    from segmentation_crm.context import address

    dead = [action.label for action in ACTIONS if action.route and not address(action.route)]
    assert dead == []


def test_what_was_opened_is_remembered_and_shown_while_it_may_be_seen(client, people):
    rep, _, stranger, account = people
    client.force_login(rep)
    assert client.post("/opened/", {"record": f"account:{account.pk}"}).status_code == 204
    client.post("/opened/", {"record": f"account:{account.pk}"})
    assert RecentItem.objects.filter(user=rep).count() == 1
    assert found(client, rep)["Opened lately"] == ["Straße & Söhne"]
    account.owner = stranger
    account.save()
    assert "Opened lately" not in found(client, rep)


@pytest.mark.parametrize(
    "record", ["", "account", "account:x", "planet:1", "account:99999999999999999999", "account:-1"]
)
def test_what_is_not_there_is_passed_over(client, people, record):
    client.force_login(people[0])
    assert client.post("/opened/", {"record": record}).status_code == 204
    assert not RecentItem.objects.exists()


def test_a_foreign_record_is_not_remembered(client, people):
    client.force_login(people[2])
    client.post("/opened/", {"record": f"account:{people[3].pk}"})
    assert not RecentItem.objects.exists()


def test_only_the_latest_thirty_are_kept(client):
    admin = factories.UserFactory()
    client.force_login(admin)
    accounts = [factories.AccountFactory() for _ in range(33)]
    for account in accounts:
        client.post("/opened/", {"record": f"account:{account.pk}"})
    assert RecentItem.objects.filter(user=admin).count() == 30
    assert found(client, admin)["Opened lately"][0] == accounts[-1].name


def test_an_answer_costs_a_fixed_number_of_queries(client, django_assert_max_num_queries):
    for number in range(30):
        account = factories.AccountFactory(name=f"Kessler {number}")
        factories.OpportunityFactory(account=account, name=f"Kessler {number}")
    admin = factories.UserFactory()
    client.force_login(admin)
    with django_assert_max_num_queries(10):
        client.get("/find/", {"q": "kessler"})
