"""Atoms shared by the segments of one rebuild, and the latest row compared without grouping."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Account
from segments.rules.validate import validate
from segments.services.rebuilding import rebuild_all, refreshes_so_far
from segments.services.refreshing import refresh, refresh_until_done
from segments.services.shared_atoms import KEPT_FOR, SharedAtoms
from tests.factories import AccountFactory

from .making import NoChunks, all_of, built, in_segment, larger_than, member_ids, saved

pytestmark = pytest.mark.django_db


def of_accounts(captured: CaptureQueriesContext) -> int:
    return sum("accounts_account" in query["sql"] for query in captured)


def test_an_atom_is_asked_once_for_all_rules():
    large = AccountFactory(employee_count=100)
    AccountFactory(employee_count=1)
    atoms = SharedAtoms()
    atoms.moment(refreshes_so_far())
    first = validate(larger_than(50), "account")
    assert set(atoms.members(first)) == {large.pk}
    second = validate(all_of(larger_than(50)["rules"][0], larger_than(50)["rules"][0]), "account")
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert set(atoms.members(second)) == {large.pk}
    assert of_accounts(captured) == 0


def test_membership_is_asked_each_time():
    large = AccountFactory(employee_count=100)
    base = built(larger_than(50), "Base")
    atoms = SharedAtoms()
    atoms.moment(refreshes_so_far())
    rule = validate(in_segment(base.slug), "account")
    assert set(atoms.members(rule)) == {large.pk}
    assert [name for name in atoms.atoms if name[1] != "universe"] == []


def test_a_refresh_or_the_time_begins_a_new_moment():
    atoms = SharedAtoms()
    first = atoms.moment(3)
    assert atoms.moment(3) == first
    assert atoms.moment(4) > first
    atoms.clock = type(atoms.clock)(timezone.now() - KEPT_FOR - timedelta(seconds=1), atoms.clock.zone)
    atoms.atoms["account", "universe"] = None
    assert atoms.moment(4) > first
    assert not atoms.atoms


def test_what_a_refresh_takes_between_two_segments_counts_in_the_second():
    small = AccountFactory(employee_count=10)
    AccountFactory(employee_count=100)
    refresh_until_done()
    one, two = saved(larger_than(50), "One"), saved(larger_than(50), "Two")

    class Between(NoChunks):
        """Changes a record and refreshes after the first segment."""

        def check_cancelled(self) -> None:
            if len(self.commits) == 1:
                Account.objects.filter(pk=small.pk).update(employee_count=200)
                assert refresh().rows

    rebuild_all("rebuild", Between(), [])
    assert small.pk in member_ids(one)
    assert member_ids(one) == member_ids(two)
