"""Segments in the database: constraints, the saved query, the order of references."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from segments.models import Segment, SegmentMembership, SegmentOverride
from segments.queries import SegmentGraph, find_segment, references_in
from tests.factories import AccountFactory, ContactFactory, UserFactory

from .making import all_of, built, in_segment, larger_than, member_ids, saved

pytestmark = pytest.mark.django_db


def refused(make):
    """Tell whether the database refuses the row."""
    try:
        with transaction.atomic():
            make()
    except IntegrityError:
        return True
    return False


def test_a_membership_is_of_exactly_one_record():
    segment, now = saved(larger_than(1)), timezone.now()
    account, contact = AccountFactory(), ContactFactory()
    rows = SegmentMembership.objects
    assert refused(lambda: rows.create(segment=segment, entered_at=now))
    assert refused(lambda: rows.create(segment=segment, account=account, contact=contact, entered_at=now))
    rows.create(segment=segment, account=account, entered_at=now)
    assert refused(lambda: rows.create(segment=segment, account=account, entered_at=now))


def test_an_override_has_a_reason_and_a_known_mode():
    segment, account = saved(larger_than(1)), AccountFactory()
    rows = SegmentOverride.objects
    assert refused(lambda: rows.create(segment=segment, account=account, mode="include", reason=""))
    assert refused(lambda: rows.create(segment=segment, account=account, mode="perhaps", reason="x"))
    rows.create(segment=segment, account=account, mode="exclude", reason="A competitor")


@pytest.mark.parametrize("field", ["member_type", "status", "kind", "kind_of_use"])
def test_closed_lists_are_closed_in_the_database(field):
    segment = saved(larger_than(1))
    assert refused(lambda: Segment.objects.filter(pk=segment.pk).update(**{field: "other"}))


def test_queryset_is_the_saved_query_and_members_the_stored_rows():
    small, large = AccountFactory(employee_count=10), AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    AccountFactory(employee_count=500, name="Later")
    assert member_ids(segment) == {large.pk}
    assert segment.queryset().count() == 2
    assert small.pk not in segment.queryset().values_list("pk", flat=True)


def test_find_segment_takes_id_or_slug():
    user = UserFactory()
    segment = saved(larger_than(1), "Large")
    assert find_segment(user, str(segment.pk)) == segment
    assert find_segment(user, "large") == segment
    assert find_segment(user, "999999999999") is None


def test_graph_orders_segments_after_those_they_read():
    first = saved(larger_than(1), "First")
    second = saved(in_segment("first"), "Second")
    third = saved(all_of(in_segment("second"), in_segment("first")), "Third")
    graph = SegmentGraph()
    assert list(references_in(third.rules)) == ["second", "first"]
    assert graph.dependants(first.pk) == {second.pk, third.pk}
    assert graph.in_order([third.pk, second.pk, first.pk]) == [first.pk, second.pk, third.pk]
