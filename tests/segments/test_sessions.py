"""Sessions of the builder: an edit evaluates only the atom it changed, at the session's moment."""

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from segmentation_crm.common.models import Role
from segments.rules.evaluate import Evaluator
from segments.rules.sessions import BadSession, resume
from segments.rules.validate import validate
from segments.services.previewing import count_rule
from tests.factories import AccountFactory, UserFactory

BIG = {"field": "account.employee_count", "operator": "gte", "value": 100}
DE = {"field": "account.country", "operator": "eq", "value": "DE"}
FR = {"field": "account.country", "operator": "eq", "value": "FR"}
DEALS = {"field": "account.opportunities", "operator": "match", "match": {"mode": "none"}}


def _rule(*rules, combinator="and"):
    return validate({"combinator": combinator, "rules": list(rules)}, "account")


@pytest.fixture
def asked(monkeypatch):
    """Count the atoms and universes that are read from the database."""
    seen = []
    plain = Evaluator._read

    def counting(self, keys):
        seen.append(str(keys.query)[:40])
        return plain(self, keys)

    monkeypatch.setattr(Evaluator, "_read", counting)
    return seen


@pytest.fixture
def admin(db):
    return UserFactory(role=Role.ADMIN)


@pytest.mark.django_db
def test_an_edit_evaluates_only_the_atom_it_changed(admin, asked):
    AccountFactory(employee_count=500, country="DE")
    AccountFactory(employee_count=500, country="FR")
    first = count_rule(_rule(BIG, DE), admin)
    assert first.result.count == 1
    del asked[:]
    second = count_rule(_rule(BIG, FR), admin, session=first.result.session)
    assert (second.result.count, len(asked)) == (1, 1)
    assert second.result.session == first.result.session
    del asked[:]
    third = count_rule(_rule(BIG, FR, combinator="or"), admin, session=first.result.session)
    assert (third.result.count, asked) == (2, [])


@pytest.mark.django_db
def test_a_session_keeps_its_data_and_says_that_they_changed(admin):
    AccountFactory(employee_count=500)
    first = count_rule(_rule(BIG), admin)
    assert not first.result.data_changed
    other = AccountFactory(employee_count=700)
    again = count_rule(_rule(BIG), admin, session=first.result.session)
    assert (again.result.count, again.result.data_changed) == (1, True)
    anew = count_rule(_rule(BIG), admin)
    assert (anew.result.count, anew.result.data_changed) == (2, False)
    Account.objects.filter(pk=other.pk).update(employee_count=3)
    assert count_rule(_rule(BIG), admin).result.count == 1


@pytest.mark.django_db
def test_each_viewer_of_one_session_sees_only_the_own(admin):
    rep, idle = UserFactory(role=Role.SALES_REP), UserFactory(role=Role.SALES_REP)
    AccountFactory(employee_count=500, owner=rep)
    AccountFactory(employee_count=600)
    session = count_rule(_rule(BIG), admin).result.session
    counts = [count_rule(_rule(BIG), user, session=session).result for user in (admin, rep, idle)]
    assert [(found.count, found.total, len(found.sample)) for found in counts] == [(2, 2, 2), (1, 1, 1), (0, 0, 0)]


@pytest.mark.django_db
def test_a_record_deleted_since_is_not_named(admin):
    gone = AccountFactory(employee_count=500)
    session = count_rule(_rule(BIG), admin).result.session
    Account.objects.filter(pk=gone.pk).update(deleted_at="2026-01-01T00:00Z")
    assert count_rule(_rule(BIG), admin, session=session).result.sample == ()


@pytest.mark.django_db
def test_an_ended_session_begins_anew(admin):
    first = count_rule(_rule(BIG), admin).result.session
    cache.clear()
    AccountFactory(employee_count=500)
    found = count_rule(_rule(BIG), admin, session=first).result
    assert (found.count, found.data_changed) == (1, False)


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["x", "2026-01-01T00:00:00+00:00", "9" * 30 + "~" + "a" * 40, "\x00" * 80])
def test_a_made_up_session_is_refused_in_words(admin, text):
    with pytest.raises(BadSession):
        resume(text)


@pytest.mark.django_db
def test_without_a_cache_everything_is_counted_anew(admin, monkeypatch):
    class NoCache:
        def get(self, *args, **kwargs):
            raise ConnectionError("no cache")

        set = get

    AccountFactory(employee_count=500)
    first = count_rule(_rule(BIG, DEALS), admin).result
    monkeypatch.setattr("segments.rules.sessions.cache", NoCache())
    assert count_rule(_rule(BIG, DEALS), admin).result.count == first.count == 1


@pytest.mark.django_db
def test_an_edit_of_the_structure_costs_few_queries(admin):
    AccountFactory(employee_count=500)
    session = count_rule(_rule(BIG, DE), admin).result.session
    with CaptureQueriesContext(
        connection,
    ) as queries:
        count_rule(_rule(BIG, DE, combinator="or"), admin, session=session)
    assert len(queries) <= 16, [query["sql"][:90] for query in queries]
