"""Bulk acts of segments: into a static segment, new or not, and archiving; undone; by three people."""

import pytest
from django.core.exceptions import PermissionDenied
from pyroaring import BitMap

from segmentation_crm.common import bulk
from segmentation_crm.common.models import BulkRow, Role
from segments.models import Segment, SegmentMembership, SegmentRun
from segments.services.overrides import set_override
from segments.services.saving import create_segment
from tests.accounts.test_bulk_editing import do, figures
from tests.factories import AccountFactory, ContactFactory, TeamFactory, UserFactory
from tests.segments.making import in_segment, larger_than, saved

pytestmark = pytest.mark.django_db
FACTORIES = {"account": AccountFactory, "contact": ContactFactory}


@pytest.fixture
def boss():
    return UserFactory(role=Role.MARKETING_MANAGER)


def members(segment):
    column = f"{segment.member_type}_id"
    return set(SegmentMembership.objects.filter(segment=segment).values_list(column, flat=True))


@pytest.mark.parametrize("record", ["account", "contact"])
def test_into_a_segment_named_here_and_out_again(boss, record):
    rows = [FACTORIES[record]() for _ in range(3)]
    act = do(boss, "add_to_segment", record, rows, name="Fair 2026")
    assert figures(act) == (3, 0, 0)
    assert act.title == "Add to the segment “Fair 2026”"
    segment = Segment.objects.get(name="Fair 2026")
    assert (segment.kind, segment.member_type, segment.owner) == ("static", record, boss)
    assert members(segment) == {row.pk for row in rows}
    assert segment.member_count == 3
    run = SegmentRun.objects.filter(segment=segment).latest("pk")
    assert set(BitMap.deserialize(bytes(run.entered))) == {row.pk for row in rows}
    bulk.start_undo(act)
    segment.refresh_from_db()
    assert (members(segment), segment.member_count) == (set(), 0)


@pytest.mark.parametrize("record", ["account", "contact"])
def test_into_one_that_exists_keeps_who_is_in_and_who_is_kept_out(boss, record):
    inside, out, new = (FACTORIES[record]() for _ in range(3))
    segment, _ = create_segment(boss, name="Board", member_type=record, kind="static")
    do(boss, "add_to_segment", record, [inside], segment=segment.pk)
    set_override(boss, segment, out.pk, "exclude", "Asked us not to")
    act = do(boss, "add_to_segment", record, [inside, out, new], segment=segment.pk)
    assert figures(act) == (1, 1, 1)
    assert "Asked us not to" in act.rows.get(outcome=BulkRow.Outcome.REFUSED).reason
    assert members(segment) == {inside.pk, new.pk}
    bulk.start_undo(act)
    assert members(segment) == {inside.pk}


def test_only_a_static_segment_of_this_kind_of_record_can_be_chosen(boss):
    rule = saved(larger_than(5), user=boss)
    other, _ = create_segment(boss, name="People", member_type="contact", kind="static")
    form_class = bulk.action_named("add_to_segment", "account").form_class
    for data in ({"segment": rule.pk}, {"segment": other.pk}, {}, {"segment": other.pk, "name": "x"}):
        assert not form_class(data, user=boss, record="account").is_valid(), data


def test_three_people_and_a_static_segment(boss):
    manager = UserFactory(role=Role.SALES_MANAGER, team=TeamFactory())
    rep = UserFactory(role=Role.SALES_REP, team=manager.team)
    mine, foreign = AccountFactory(owner=rep), AccountFactory(owner=UserFactory())
    assert figures(do(manager, "add_to_segment", "account", [mine, foreign], name="Team")) == (1, 0, 0)
    act = bulk.draft(manager, bulk.action_named("add_to_segment", "account"), "account", BitMap([mine.pk, foreign.pk]))
    act = bulk.start(act, {"segment": Segment.objects.get(name="Team").pk}, "Add")
    assert (act.changed, act.refused) == (0, 1)  # one that slipped into the choice is not seen
    assert figures(do(boss, "add_to_segment", "account", [foreign], segment=Segment.objects.get().pk)) == (1, 0, 0)
    assert "add_to_segment" not in {action.key for action in bulk.actions_for("account", rep)}
    draft = bulk.draft(rep, bulk.action_named("add_to_segment", "account"), "account", BitMap([mine.pk]))
    with pytest.raises(PermissionDenied):
        bulk.start(draft, {"segment": Segment.objects.get().pk}, "Add")


def test_segments_are_archived_but_not_those_that_others_read_and_come_back(boss):
    free, read = saved(larger_than(5), "Free", user=boss), saved(larger_than(6), "Read", user=boss)
    saved(in_segment(read.slug), "Reader", user=boss)
    act = do(boss, "archive", "segment", [free, read])
    assert figures(act) == (1, 0, 1)
    assert "Reader" in act.rows.get(outcome=BulkRow.Outcome.REFUSED).reason
    assert set(Segment.objects.filter(status="archived")) == {free}
    bulk.start_undo(act)
    assert not Segment.objects.filter(status="archived").exists()
    rep = UserFactory(role=Role.SALES_REP)
    assert bulk.actions_for("segment", rep) == []
    with pytest.raises(PermissionDenied):
        bulk.start(bulk.draft(rep, bulk.action_named("archive", "segment"), "segment", BitMap([free.pk])))
