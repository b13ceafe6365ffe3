"""Evidence: counted once, drilled down to the words, seen by who may see its record."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from accounts.models import Evidence, Need
from accounts.services.evidence import record_evidence
from segmentation_crm.common.models import Role
from tests import factories as make
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def rep():
    return make.UserFactory(role=Role.SALES_REP, team=make.TeamFactory())


@pytest.fixture
def account(rep):
    return make.AccountFactory(name="Kessler Motors", owner=rep)


@pytest.fixture
def price():
    return make.TermFactory(vocabulary="objection", name="Price")


def signed_in(user):
    client = Client()
    client.force_login(user)
    return client


def test_the_same_word_of_the_same_call_counts_once(account, price, rep):
    call = make.ActivityFactory(account=account, type="call")
    first = record_evidence("objection", [price, price], activity=call, by=rep)
    again = record_evidence("objection", [price], activity=call, by=rep)
    assert first == again
    assert (first[0].account, first[0].said_at, first[0].recorded_by) == (account, call.occurred_at, rep)
    record_evidence("objection", [price], account=account)
    assert Evidence.objects.count() == 2


def test_a_deal_keeps_the_objections_it_had(account, price):
    deal = make.OpportunityFactory(account=account)
    other = make.TermFactory(vocabulary="objection")
    record_evidence("objection", [other], opportunity=deal)
    record_evidence("objection", [price], opportunity=deal)
    record_evidence("objection", [price], opportunity=deal)
    assert {row.term for row in deal.values_multi.filter(field="objections")} == {price, other}
    record_evidence("trigger", [make.TermFactory(vocabulary="trigger")], opportunity=deal)
    assert deal.values_multi.count() == 2


def test_a_need_that_was_heard_is_stated_and_takes_a_rejection_back(account):
    term = make.TermFactory(vocabulary="need")
    need = make.NeedFactory(account=account, need=term, evidence="inferred_content", rejected_on=dt.date(2026, 1, 1))
    record_evidence("need", [term], account=account)
    need.refresh_from_db()
    assert (need.evidence, need.rejected_on, need.source_type) == ("interview", None, "primary")
    assert Need.objects.count() == 1


@pytest.mark.parametrize(
    ("kind", "words"), [("need", "is no need"), ("nap", "kind must be one of"), ("competitor", "is no competitor")]
)
def test_a_word_of_another_vocabulary_is_refused(account, price, kind, words):
    with pytest.raises(ValidationError, match=words):
        record_evidence(kind, [price], account=account)
    with pytest.raises(ValidationError, match="of which account"):
        record_evidence("objection", [price])
    assert not Evidence.objects.exists()


def test_the_page_counts_times_and_accounts_and_leads_to_the_words(account, price, rep, django_assert_max_num_queries):
    other = make.AccountFactory(owner=rep)
    record_evidence("objection", [price], account=account, quote="Far too dear")
    record_evidence("objection", [price], account=account, said_at=timezone.now() - dt.timedelta(days=60))
    record_evidence("objection", [price], account=other)
    browser = signed_in(rep)
    with django_assert_max_num_queries(14):
        text = browser.get("/evidence/").content.decode()
    row = text.split("Price</a>")[1].split("</tr>")[0]
    assert ">3</td>" in row.replace(" ", "").replace("</span>3", "</span>>3") or "3" in row
    assert '<td class="num">2</td>' in row
    with django_assert_max_num_queries(16):
        words = browser.get(f"/evidence/objection/{price.pk}/").content.decode()
    assert "Far too dear" in words
    assert words.count("Kessler Motors</a>") == 2
    recent = browser.get(f"/evidence/objection/{price.pk}/?period=30").content.decode()
    assert recent.count("Kessler Motors</a>") == 1
    assert "Nothing was heard" in browser.get("/evidence/?kind=need&period=30").content.decode()
    for odd in ("?period=x", "?owner=%00", "?owner=99999999999999", "?kind=nap", "?cursor=zzz"):
        assert browser.get(f"/evidence/{odd}").status_code == 200
        assert browser.get(f"/evidence/objection/{price.pk}/{odd}").status_code == 200
    assert browser.get(f"/evidence/need/{price.pk}/").status_code == 404


@pytest.mark.parametrize(("who", "count"), [("owner", 1), ("manager", 1), ("stranger", 0), ("analyst", 1)])
def test_three_people_and_what_was_heard(account, price, rep, who, count):
    heard = record_evidence("objection", [price], account=account)[0]
    user = {
        "owner": lambda: rep,
        "manager": lambda: make.UserFactory(role=Role.SALES_MANAGER, team=rep.team),
        "stranger": lambda: make.UserFactory(role=Role.SALES_REP),
        "analyst": lambda: make.UserFactory(role=Role.ANALYST),
    }[who]()
    page = signed_in(user).get(f"/evidence/objection/{price.pk}/").content.decode()
    assert page.count("Kessler Motors</a>") == count
    client = caller(user)
    assert len(client.get("/api/v1/evidence/").json()["results"]) == count
    assert client.get(f"/api/v1/evidence/{heard.pk}/").status_code == (200 if count else 404)


def test_the_api_records_through_the_same_service(account, price, rep):
    deal = make.OpportunityFactory(account=account)
    client = caller(rep)
    values = {"kind": "objection", "term": "Price", "account": account.pk, "opportunity": deal.pk, "quote": "Dear"}
    made = client.post("/api/v1/evidence/", values, format="json")
    assert made.status_code == 201, made.json()
    assert made.json()["recorded_by"] == rep.pk
    assert deal.values_multi.get().term == price
    wrong = client.post("/api/v1/evidence/", {**values, "kind": "need"}, format="json")
    assert (wrong.status_code, "term" in str(wrong.json())) == (400, True)
    hidden = make.AccountFactory()
    refused = client.post("/api/v1/evidence/", {**values, "account": hidden.pk}, format="json")
    assert refused.status_code == 400
    nobody = client.post("/api/v1/evidence/", {"kind": "objection", "term": price.pk}, format="json")
    assert nobody.status_code == 400
    assert Evidence.objects.count() == 1


def test_evidence_of_a_note_that_was_taken_back_does_not_count(account, price, rep):
    note = make.NoteFactory(account=account, text="Heard it")
    record_evidence("objection", [price], note=note)
    note.deleted_at = timezone.now()
    note.save()
    assert "Price" not in signed_in(rep).get("/evidence/").content.decode().split('id="quick-log"')[0]
