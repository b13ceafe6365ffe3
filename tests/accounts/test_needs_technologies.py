"""Needs and technologies: the rules of stated, inferred and rejected for pages and API; chips with undo."""

import re
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.models import AccountTechnology, Need, Provenance, TechnologyProduct, Term
from accounts.services.needs import change_need, drop_need, infer_need, restore_need, state_need
from accounts.services.technologies import keep_technology
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountFactory,
    AccountTechnologyFactory,
    ContactFactory,
    EvidenceFactory,
    NeedFactory,
    TeamFactory,
    TechnologyProductFactory,
    TermFactory,
    UserFactory,
)
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory()


@pytest.fixture
def term():
    return TermFactory(vocabulary="need", name="Reduce stock")


def log_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_stated_beats_inferred(term):
    account = AccountFactory()
    inferred = infer_need(account, term, "inferred_content", confidence=0.4)
    assert (inferred.evidence, inferred.confidence) == ("inferred_content", Decimal("0.400000"))
    stated = state_need(account, term, evidence="interview", source_kind="interview")
    assert stated.pk == inferred.pk
    assert stated.evidence == "interview"
    assert infer_need(account, term, "inferred_usage") is None
    with pytest.raises(ValidationError, match="does not replace"):
        change_need(stated, evidence="inferred_usage")
    assert Need.objects.get().evidence == "interview"
    assert Provenance.objects.get(record_type="need", record_id=stated.pk).kind == "interview"


def test_a_rejected_inference_stays_rejected_until_a_person_states_it(term):
    account = AccountFactory()
    need = infer_need(account, term, "inferred_usage")
    drop_need(need)
    assert Need.objects.get().rejected_on is not None
    assert infer_need(account, term, "inferred_content") is None
    with pytest.raises(ValidationError, match="stays so"):
        change_need(Need.objects.get(), rejected_on=None)
    stated = state_need(account, term)
    assert (stated.pk, stated.rejected_on, stated.evidence) == (need.pk, None, "stated")


def test_what_was_dropped_comes_back_as_it_was(term):
    need = state_need(ContactFactory(), term, priority=2, confidence=Decimal("0.9"))
    kept = drop_need(need)
    assert not Need.objects.exists()
    back = restore_need(kept)
    assert (back.contact_id, back.priority, back.confidence) == (need.contact_id, 2, Decimal("0.9"))


@pytest.mark.parametrize(
    ("held", "sent", "field"),
    [
        ({"evidence": "stated"}, {"evidence": "inferred_usage"}, "evidence"),
        ({"evidence": "inferred_usage", "rejected_on": "2026-01-01"}, {"rejected_on": None}, "evidence"),
        ({"evidence": "stated"}, {"confirmed_on": "2026-01-01", "rejected_on": "2026-01-02"}, "rejected_on"),
    ],
)
def test_the_api_holds_to_the_same_rules(admin, held, sent, field):
    need = NeedFactory(**held)
    response = caller(admin).patch(f"/api/v1/needs/{need.pk}/", sent, format="json")
    assert response.status_code == 400, response.content
    assert field in str(response.json())


def test_the_api_does_not_infer_again_what_was_rejected(admin):
    need = NeedFactory(evidence="inferred_usage", rejected_on="2026-01-01")
    sent = {"account": need.account_id, "need": need.need_id, "evidence": "inferred_content"}
    response = caller(admin).post("/api/v1/needs/", sent, format="json")
    assert response.status_code == 400
    assert "stays so" in response.content.decode()


def test_a_technology_kept_again_is_verified_and_in_use():
    account, product = AccountFactory(), TechnologyProductFactory()
    row = keep_technology(account, product)
    row.status = "former"
    row.save()
    again = keep_technology(account, product)
    assert (again.pk, again.status) == (row.pk, "in_use")
    assert again.last_verified is not None


@pytest.mark.parametrize("kind", ["account", "contact"])
def test_a_chip_is_added_removed_and_brought_back(client, admin, term, kind):
    record = AccountFactory() if kind == "account" else ContactFactory()
    add = reverse(f"accounts:{kind}_needs", args=[record.pk])
    text = log_in(client, admin).post(add, {"name": "  REDUCE stock "}).content.decode()
    need = Need.objects.get()
    assert (getattr(need, f"{kind}_id"), need.evidence, need.source_type) == (record.pk, "stated", "primary")
    assert "Reduce stock" in text
    text = client.post(reverse("accounts:needs_remove", args=[need.pk])).content.decode()
    assert not Need.objects.exists()
    token = re.search(r'name="undo" value="([^"]+)"', text).group(1)
    client.post(reverse("accounts:needs_restore"), {"undo": token})
    assert Need.objects.get().need == term
    other = log_in(client, UserFactory()).post(reverse("accounts:needs_restore"), {"undo": token})
    assert other.status_code == 404


def test_a_new_word_needs_the_right_to_keep_vocabularies(client):
    rep = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    account = AccountFactory(owner=rep)
    add = reverse("accounts:account_needs", args=[account.pk])
    text = log_in(client, rep).post(add, {"name": "Cheaper freight"}).content.decode()
    assert "is not in the list" in text
    assert 'value="Cheaper freight"' in text
    assert not Term.objects.filter(vocabulary="need").exists()
    manager = UserFactory(role=Role.MARKETING_MANAGER)
    log_in(client, manager).post(add, {"name": "Cheaper freight"})
    assert Need.objects.get().need.name == "Cheaper freight"
    client.post(reverse("accounts:account_technologies", args=[account.pk]), {"name": "Basalt"})
    assert TechnologyProduct.objects.get().name == "Basalt"
    assert AccountTechnology.objects.get().account == account
    assert client.post(add, {"name": "x" * 300}).status_code == 200
    assert client.post(add, {"name": "\x00"}).status_code == 200


def test_the_dialog_shows_what_was_heard_and_saves_what_is_known(client, admin, term):
    need = NeedFactory(need=term, evidence="stated")
    EvidenceFactory(
        kind="need", term=term, account=need.account, quote="Too much on the shelf", said_at="2026-03-01T10:00Z"
    )
    url = reverse("accounts:needs_edit", args=[need.pk])
    assert "Too much on the shelf" in log_in(client, admin).get(url).content.decode()
    sent = {
        "kind": "goal",
        "priority": "2",
        "evidence": "survey",
        "confidence": "80",
        "source_kind": "survey",
        "source_type": "primary",
    }
    response = client.post(url, sent)
    assert response["HX-Retarget"] == "#known-needs"
    need.refresh_from_db()
    assert (need.kind, need.priority, need.evidence, need.confidence) == ("goal", 2, "survey", Decimal("0.8"))
    text = client.post(url, {**sent, "evidence": "inferred_usage"}).content.decode()
    assert "does not replace" in text
    assert client.post(url, {**sent, "confidence": "140"}).status_code == 200
    technology = AccountTechnologyFactory()
    url = reverse("accounts:technologies_edit", args=[technology.pk])
    client.post(url, {"status": "phasing_out", "contract_ends": "2027-01-31"})
    technology.refresh_from_db()
    assert (technology.status, str(technology.contract_ends)) == ("phasing_out", "2027-01-31")


def test_three_people_and_chips(client, term):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    account = AccountFactory(owner=alice)
    need = NeedFactory(account=account)
    for user, may, sees in (
        (alice, 200, 200),
        (UserFactory(role=Role.SALES_MANAGER, team=alice.team), 200, 200),
        (UserFactory(role=Role.SALES_REP, team=TeamFactory()), 404, 404),
        (UserFactory(role=Role.VIEWER), 403, 200),
    ):
        log_in(client, user)
        assert client.post(reverse("accounts:account_needs", args=[account.pk]), {"name": term.name}).status_code == may
        assert client.get(reverse("accounts:needs_edit", args=[need.pk])).status_code == sees
        if may != 200:
            assert client.post(reverse("accounts:needs_remove", args=[need.pk])).status_code == may


def test_options_offer_needs_and_technologies_by_name(client, admin, term):
    TechnologyProductFactory(name="Basalt ERP", vendor__name="Nordstone")
    log_in(client, admin)
    found = client.get(reverse("accounts:options", args=["need"]), {"q": "stock"}).json()["results"]
    assert [row["value"] for row in found] == ["Reduce stock"]
    found = client.get(reverse("accounts:options", args=["technology"]), {"q": "nordst"}).json()["results"]
    assert [row["value"] for row in found] == ["Basalt ERP"]
