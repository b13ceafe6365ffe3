"""Two records become one: what is chosen, what moves, and a merge taken back leaves the tables as they were."""

import datetime as dt
import hashlib
import json
import random

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.choices import CustomFieldType, Vocabulary
from accounts.models import (
    Account,
    AccountTechnology,
    AccountValue,
    Contact,
    ExternalId,
    Need,
    OpportunityContact,
    Provenance,
    RecordChange,
    RecordMerge,
)
from accounts.services.custom_fields import create_custom_field, set_custom_values
from accounts.services.merge_rows import relations
from accounts.services.merging import field_choices, merge_records, undo_merge
from accounts.services.multi_values import set_multi_values
from segmentation_crm.common.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db
# What is only ever added to, and what every write counts up.
GROWS = {
    "accounts.RecordChange", "accounts.RecordMerge", "accounts.FieldHistory", "common.AuditEntry", "common.Job",
    "common.JobAttempt", "accounts.ChangeRow",
}  # fmt: skip
COUNTED = {"version", "updated_at"}


def tables():
    """Return table -> {key: hash of the row} of all data."""
    found = {}
    for model in apps.get_models():
        if model._meta.label in GROWS or model._meta.app_label not in ("accounts", "segments", "common"):
            continue
        rows = {}
        for row in model._base_manager.values():
            key = row.get("id") or str(row)
            text = json.dumps({k: str(v) for k, v in row.items() if k not in COUNTED}, sort_keys=True)
            rows[key] = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        if rows:
            found[model._meta.label] = rows
    return found


def test_filled_beats_empty_and_newer_beats_older():
    kept = make.AccountFactory(name="Acme", city="", phone="+16502530000", website="")
    gone = make.AccountFactory(name="Acme Inc", city="Ulm", phone="", website="")
    proposed = {c.name: c.proposed for c in field_choices(kept, gone)}
    assert (proposed["city"], proposed["phone"], proposed["name"]) == ("gone", "kept", "gone")
    assert "website" not in proposed
    Account.objects.filter(pk=gone.pk).update(updated_at=timezone.now() - dt.timedelta(days=9))
    gone.refresh_from_db()
    assert {c.name: c.proposed for c in field_choices(kept, gone)}["name"] == "kept"


def test_everything_moves_and_duplicates_are_kept_once():
    kept, gone = make.AccountFactory(name="Kept"), make.AccountFactory(name="Gone")
    deal = make.OpportunityFactory(account=gone)
    contact = make.ContactFactory(account=gone)
    note = make.NoteFactory(account=gone, contact=None, opportunity=None)
    child = make.AccountFactory(parent_account=gone)
    make.ExternalIdFactory(record_type="account", record_id=gone.pk, source="erp", external_id="7")
    uses = make.AccountTechnologyFactory(account=kept)
    make.AccountTechnologyFactory(account=gone, product=uses.product)
    other = make.AccountTechnologyFactory(account=gone)
    tag = make.TermFactory(vocabulary=Vocabulary.TAG)
    both = make.TermFactory(vocabulary=Vocabulary.TAG)
    set_multi_values(kept, "tags", [both])
    set_multi_values(gone, "tags", [tag, both])
    merge_records(kept, gone, {})
    for row in (deal, contact, note):
        row.refresh_from_db()
        assert row.account_id == kept.pk
    child.refresh_from_db()
    assert child.parent_account_id == kept.pk
    assert ExternalId.objects.get(external_id="7").record_id == kept.pk
    assert set(AccountTechnology.objects.values_list("pk", "account_id")) == {(uses.pk, kept.pk), (other.pk, kept.pk)}
    assert set(AccountValue.objects.filter(account=kept).values_list("term_id", flat=True)) == {tag.pk, both.pk}
    assert Account.objects.get(pk=gone.pk).merged_into_id == kept.pk
    assert not Account.objects.live().filter(pk=gone.pk).exists()
    assert {row.action for row in RecordChange.objects.filter(record_id__in=[kept.pk, gone.pk], action="merged")} == {
        "merged"
    }


def test_a_dropped_duplicate_has_nothing_hanging_on_it():
    """A row that is dropped because the kept record has one like it must not take others along."""
    for model in (AccountTechnology, Need, OpportunityContact, AccountValue):
        assert list(relations(model)) == []


def test_choices_are_followed_and_the_domain_moves():
    kept = make.AccountFactory(name="Kept", domain="kept.example", employee_count=5)
    gone = make.AccountFactory(name="Gone", domain="gone.example", employee_count=900)
    make.ProvenanceFactory(record_type="account", record_id=gone.pk, field="domain", source_system="Register")
    merge = merge_records(kept, gone, {"domain": "gone", "name": "kept", "employee_count": "gone"})
    kept.refresh_from_db()
    assert (kept.name, kept.domain, kept.employee_count, kept.employee_band) == (
        "Kept",
        "gone.example",
        900,
        "501-1000",
    )
    assert Provenance.objects.get(record_id=kept.pk, field="domain").source_system == "Register"
    undo_merge(merge)
    kept.refresh_from_db()
    gone.refresh_from_db()
    assert (kept.domain, gone.domain, gone.merged_into_id) == ("kept.example", "gone.example", None)


def test_an_undo_leaves_what_was_changed_since():
    kept = make.AccountFactory(name="Kept", city="Ulm")
    gone = make.AccountFactory(name="Gone", city="Bonn")
    merge = merge_records(kept, gone, {"name": "gone", "city": "gone"})
    kept.refresh_from_db()
    kept.city = "Köln"
    kept.save()
    assert undo_merge(merge) == ["city"]
    kept.refresh_from_db()
    assert (kept.name, kept.city) == ("Kept", "Köln")
    with pytest.raises(ValidationError, match="already"):
        undo_merge(merge)


def test_circles_of_parents_are_not_made():
    top = make.AccountFactory()
    middle = make.AccountFactory(parent_account=top)
    low = make.AccountFactory(parent_account=middle)
    before = tables()
    merge = merge_records(low, top, {"parent_account": "kept"})
    low.refresh_from_db()
    middle.refresh_from_db()
    assert (low.parent_account_id, middle.parent_account_id) == (None, low.pk)
    undo_merge(merge)
    assert tables() == before


def test_a_wish_not_to_be_contacted_always_stays():
    kept = make.ContactFactory(do_not_contact=False, deliverability="valid")
    gone = make.ContactFactory(do_not_contact=True, deliverability="hard_bounce")
    merge_records(kept, gone, {"do_not_contact": "kept", "deliverability": "kept"})
    kept.refresh_from_db()
    assert (kept.do_not_contact, kept.deliverability) == (True, "hard_bounce")


def test_a_withdrawal_beats_a_later_consent_of_the_other_contact():
    now = timezone.now()
    kept, gone = make.ContactFactory(), make.ContactFactory()
    topic = make.TermFactory(vocabulary=Vocabulary.CONSENT_TOPIC)
    shared = {"topic": topic, "channel": "email"}
    make.ConsentFactory(contact=gone, status="withdrawn", at=now - dt.timedelta(days=30), **shared)
    make.ConsentFactory(contact=kept, status="granted", at=now - dt.timedelta(days=2), **shared)
    before = tables()
    merge = merge_records(kept, gone, {})
    latest = kept.consents.order_by("-at", "-pk").first()
    assert (latest.status, kept.consents.count()) == ("withdrawn", 3)
    undo_merge(merge)
    assert tables() == before


def test_a_role_in_the_same_deal_is_kept_once():
    kept, gone, deal = make.ContactFactory(), make.ContactFactory(), make.OpportunityFactory()
    make.OpportunityContactFactory(opportunity=deal, contact=kept, role="champion")
    make.OpportunityContactFactory(opportunity=deal, contact=gone, role="champion")
    make.OpportunityContactFactory(opportunity=deal, contact=gone, role="end_user")
    before = tables()
    merge = merge_records(kept, gone, {})
    assert sorted(OpportunityContact.objects.values_list("contact_id", "role")) == [
        (kept.pk, "champion"), (kept.pk, "end_user"),
    ]  # fmt: skip
    undo_merge(merge)
    assert tables() == before


def populate(rng: random.Random, records: list, terms: list, products: list) -> None:
    """Hang random rows on records of one kind."""
    for record in records:
        for _ in range(rng.randint(0, 3)):
            make.ActivityFactory(account=record, contact=None)
        for product in rng.sample(products, rng.randint(0, len(products))):
            make.AccountTechnologyFactory(account=record, product=product)
        for term in rng.sample(terms["need"], rng.randint(0, len(terms["need"]))):
            make.NeedFactory(account=record, contact=None, need=term)
        set_multi_values(record, "tags", rng.sample(terms["tag"], rng.randint(0, len(terms["tag"]))))
        if rng.random() < 0.7:
            set_custom_values(record, {"seats": rng.choice(["3", "4"])})
        if rng.random() < 0.5:
            make.NoteFactory(account=record, contact=None, opportunity=None)
            make.TaskFactory(account=record, contact=None, opportunity=None)
            make.ProvenanceFactory(record_type="account", record_id=record.pk, field="city")
        if rng.random() < 0.5:
            make.OpportunityFactory(account=record)
            make.ContactFactory(account=record)
            make.AccountFactory(parent_account=record)


@settings(
    max_examples=12, deadline=None, phases=[Phase.generate], suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32), picks=st.lists(st.booleans(), min_size=60, max_size=60))
def test_a_merge_taken_back_leaves_identical_tables_and_loses_no_row(db, seed, picks):
    from django.db import transaction

    rng = random.Random(seed)
    with transaction.atomic():
        if not Account.objects.filter(custom_values__definition__key="seats").exists():
            create_custom_field("account", "seats", "Seats", CustomFieldType.INTEGER)
        terms = {
            "need": [make.TermFactory(vocabulary=Vocabulary.NEED) for _ in range(3)],
            "tag": [make.TermFactory(vocabulary=Vocabulary.TAG) for _ in range(3)],
        }
        products = [make.TechnologyProductFactory() for _ in range(3)]
        kept, gone = (
            make.AccountFactory(city=rng.choice(["", "Ulm"])),
            make.AccountFactory(city=rng.choice(["", "Bonn"])),
        )
        populate(rng, [kept, gone], terms, products)
        before = tables()
        fields = sorted({c.name for c in field_choices(kept, gone)})
        choices = {name: "gone" if pick else "kept" for name, pick in zip(fields, picks, strict=False)}
        merge = merge_records(kept, gone, choices)
        during = tables()
        dropped = len(merge.moved["dropped"])
        added = sum(len(ids) for ids in merge.moved["added"].values())
        assert sum(map(len, during.values())) == sum(map(len, before.values())) - dropped + added
        undo_merge(merge)
        assert tables() == before
        transaction.set_rollback(True)


@pytest.fixture
def pair():
    owner = make.UserFactory(role=Role.SALES_REP)
    kept = make.AccountFactory(name="Acme", city="Ulm", owner=owner)
    gone = make.AccountFactory(name="Acme", city="Bonn", owner=owner)
    return kept, gone, owner


def test_the_page_shows_both_and_merges(client, pair):
    kept, gone, _ = pair
    client.force_login(make.UserFactory(role=Role.ADMIN))
    url = reverse("accounts:account_merge")
    page = client.get(url, {"a": kept.pk, "b": gone.pk}).content.decode()
    assert "Ulm" in page
    assert "Bonn" in page
    assert 'name="field.city"' in page
    response = client.post(url, {"a": kept.pk, "b": gone.pk, "field.city": "gone"}, follow=True)
    assert "Undo merge" in response.content.decode()
    kept.refresh_from_db()
    assert kept.city == "Bonn"
    # The old address leads to the kept account.
    moved = client.get(reverse("accounts:account_detail", args=[gone.pk]))
    assert (moved.status_code, moved.url) == (302, reverse("accounts:account_detail", args=[kept.pk]))
    merge = RecordMerge.objects.get()
    client.post(reverse("accounts:merge_undo", args=[merge.pk]))
    assert client.get(reverse("accounts:account_detail", args=[gone.pk])).status_code == 200


def test_who_may_merge(client, pair):
    kept, gone, owner = pair
    url = reverse("accounts:account_merge")
    data = {"a": kept.pk, "b": gone.pk}
    for person, status in (
        (owner, 403),
        (make.UserFactory(role=Role.VIEWER), 403),
        (make.UserFactory(role=Role.MARKETING_MANAGER), 200),
    ):
        client.force_login(person)
        assert client.get(url, data).status_code == status
    stranger = make.UserFactory(role=Role.SALES_MANAGER, team=make.TeamFactory())
    client.force_login(stranger)
    assert client.get(url, data).status_code == 404
    assert not RecordMerge.objects.exists()


def test_possible_duplicates_are_shown_on_the_page(client, pair):
    kept, gone, _ = pair
    client.force_login(make.UserFactory(role=Role.ADMIN))
    page = client.get(f"{reverse('accounts:account_merge')}?a={kept.pk}").content.decode()
    assert "same name" in page
    assert f"b={gone.pk}" in page


def test_contacts_merge_by_page_too(client):
    kept, gone = make.ContactFactory(email="a@one.example"), make.ContactFactory(email="b@one.example")
    client.force_login(make.UserFactory(role=Role.ADMIN))
    client.post(reverse("accounts:contact_merge"), {"a": kept.pk, "b": gone.pk, "field.email": "gone"})
    kept.refresh_from_db()
    assert kept.email == "b@one.example"
    assert Contact.objects.live().filter(pk__in=[kept.pk, gone.pk]).count() == 1
