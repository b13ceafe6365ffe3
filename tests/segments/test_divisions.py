"""Partitions and splits: parts disjoint and complete, lots stable, fair and independent."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import Account
from segmentation_crm.common.models import Role
from segments.choices import SegmentStatus
from segments.models import Segment
from segments.services.lots import drawn, lot_of
from segments.services.partitions import Part, create_partition, delete_partition, update_partition
from segments.services.rebuilding import rebuild_segment, rebuild_with_dependants
from segments.services.saving import SegmentInUse, archive_segment, update_segment
from segments.services.splits import Group, create_split, delete_split, share_of, update_split
from tests.factories import AccountFactory, UserFactory

from .making import NoChunks, all_of, built, in_segment, larger_than, member_ids, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory(role=Role.ADMIN)


@pytest.fixture
def accounts():
    return [AccountFactory(name=f"Company {count}", employee_count=count) for count in (10, 60, 250, 900, 5_000)]


def build(division_rows):
    for row in division_rows:
        rebuild_segment(row.segment_id)


def parts_of(partition):
    return {part.name: member_ids(part.segment) for part in partition.parts.all()}


@pytest.fixture
def tiers(admin, accounts):
    large, middle = built(larger_than(500), "Large"), built(larger_than(100), "Middle or more")
    partition = create_partition(
        admin,
        name="Tiers",
        member_type="account",
        parts=[Part("Tier 1", large), Part("Tier 2", middle)],
        rest="Tier 3",
    )
    build(partition.parts.all())
    return partition


def test_first_match_wins_and_the_rest_takes_the_others(tiers, accounts):
    small, sixty, middle, large, giant = (account.pk for account in accounts)
    assert parts_of(tiers) == {"Tier 1": {large, giant}, "Tier 2": {middle}, "Tier 3": {small, sixty}}


def test_a_part_is_a_segment_with_rule_sentence_and_history(tiers):
    part = tiers.parts.get(name="Tier 2").segment
    assert part.name == "Tiers: Tier 2"
    assert "Large" in part.sentence
    assert "Middle or more" in part.sentence
    assert part.versions.count() == 1
    assert part.runs.get().entered_count == 1


def test_order_decides(tiers, admin, accounts):
    large, middle = (tiers.parts.get(name=name).source for name in ("Tier 1", "Tier 2"))
    before = tiers.parts.get(name="Tier 1").segment_id
    changed = update_partition(admin, tiers, {"parts": [Part("Tier 2", middle), Part("Tier 1", large)]}, 1)
    assert changed.version == 2
    assert changed.parts.get(name="Tier 1").segment_id == before
    build(changed.parts.all())
    assert parts_of(changed)["Tier 1"] == set()
    assert len(parts_of(changed)["Tier 2"]) == 3


def test_parts_do_not_overlap_while_they_are_computed_one_after_the_other(tiers, accounts):
    Account.objects.filter(pk=accounts[2].pk).update(employee_count=800)
    for source in tiers.parts.filter(source__isnull=False):
        rebuild_segment(source.source_id)
    rebuild_segment(tiers.parts.get(name="Tier 1").segment_id)
    found = parts_of(tiers)
    assert accounts[2].pk in found["Tier 1"]
    assert accounts[2].pk not in found["Tier 2"]
    left = tiers.parts.get(name="Tier 2").segment.runs.first()
    assert left.left_count == 1


def test_rebuilding_a_source_rebuilds_the_parts(tiers, accounts):
    Account.objects.filter(pk=accounts[0].pk).update(employee_count=800)
    source = tiers.parts.get(name="Tier 1").source_id
    rebuild_with_dependants(source, "data", NoChunks(), [])
    rebuild_with_dependants(tiers.parts.get(name="Tier 2").source_id, "data", NoChunks(), [])
    assert accounts[0].pk in parts_of(tiers)["Tier 1"]
    assert accounts[0].pk not in parts_of(tiers)["Tier 3"]


def test_a_base_bounds_all_parts(admin, accounts, tiers):
    known = built(larger_than(50), "Known")
    update_partition(admin, tiers, {"base": known})
    build(tiers.parts.all())
    found = parts_of(tiers)
    assert set().union(*found.values()) == member_ids(known)
    assert accounts[0].pk not in found["Tier 3"]


def test_a_part_cannot_be_a_source_of_its_own_partition(tiers, admin):
    part = tiers.parts.get(name="Tier 2").segment
    with pytest.raises(ValidationError) as refused:
        update_partition(admin, tiers, {"parts": [Part("Again", part)]})
    assert "parts" in refused.value.message_dict
    source = tiers.parts.get(name="Tier 1").source
    from segments.rules.nodes import InvalidRule

    with pytest.raises(InvalidRule, match=r"circle|refers back"):
        update_segment(admin, source, {"rules": in_segment(part.slug)})


@pytest.mark.parametrize(
    ("parts", "rest", "field"),
    [
        ([], "Rest", "parts"),
        (["Large", "Large"], "Rest", "parts"),
        (["Large"], "large part", "parts"),
        (["Large"], "", "rest"),
        (["People"], "Rest", "parts"),
    ],
)
def test_what_a_partition_refuses(admin, parts, rest, field):
    segments = {
        "Large": saved(larger_than(500), "Large"),
        "People": saved(all_of({"field": "contact.seniority", "operator": "is_set"}), "People", member_type="contact"),
    }
    asked = [Part(f"{name} part", segments[name]) for name in parts]
    with pytest.raises(ValidationError) as refused:
        create_partition(admin, name="Tiers", member_type="account", parts=asked, rest=rest)
    assert field in refused.value.message_dict


def test_a_part_follows_its_partition(tiers, admin):
    part = tiers.parts.get(name="Tier 2").segment
    for changes in ({"rules": larger_than(1)}, {"parent": saved(larger_than(2), "Parent")}):
        with pytest.raises(ValidationError, match=r"partition|divide"):
            update_segment(admin, part, changes)
    with pytest.raises(SegmentInUse, match="partition “Tiers”"):
        archive_segment(admin, part)


def test_sources_and_base_cannot_go_while_the_partition_stands(tiers, admin):
    with pytest.raises(SegmentInUse, match="partition “Tiers”"):
        archive_segment(admin, tiers.parts.get(name="Tier 1").source)


def test_deleting_a_partition_archives_its_parts_and_keeps_members(tiers, admin):
    part = tiers.parts.get(name="Tier 1").segment
    reader = saved(in_segment(part.slug), "Reader")
    with pytest.raises(SegmentInUse, match="segment “Reader”"):
        delete_partition(admin, tiers)
    archive_segment(admin, reader)
    delete_partition(admin, tiers)
    part.refresh_from_db()
    assert part.status == SegmentStatus.ARCHIVED
    assert len(member_ids(part)) == 2


# --- splits ---


@pytest.fixture
def split(admin, accounts):
    base = built(larger_than(1), "Everybody")
    found = create_split(admin, name="Trial", base=base, groups=[Group("A", 5_000), Group("B", 5_000)], seed="x")
    build(found.groups.all())
    return found


def groups_of(split):
    return {group.name: member_ids(group.segment) for group in split.groups.all()}


def test_groups_divide_the_base_by_lot(split, accounts):
    found = groups_of(split)
    assert found["A"] | found["B"] == {account.pk for account in accounts}
    assert not found["A"] & found["B"]
    for account in accounts:
        name = "A" if lot_of("x", "account", account.pk) < 5_000 else "B"
        assert account.pk in found[name]


def test_recomputing_and_growth_move_nobody(split):
    before = groups_of(split)
    more = [AccountFactory(employee_count=20).pk for _ in range(40)]
    rebuild_segment(split.base_id)
    build(split.groups.all())
    after = groups_of(split)
    assert before["A"] <= after["A"]
    assert before["B"] <= after["B"]
    assert after["A"] | after["B"] >= set(more)
    runs = [group.segment.runs.count() for group in split.groups.all()]
    build(split.groups.all())
    assert [group.segment.runs.count() for group in split.groups.all()] == runs


def test_lots_are_fair_and_seeds_independent():
    keys = range(1, 40_001)
    half = drawn("one", "account", keys, 0, 5_000)
    other = drawn("two", "account", keys, 0, 5_000)
    tenth = drawn("one", "account", keys, 9_000, 10_000)
    # Five standard deviations of a fair draw.
    assert abs(len(half) - 20_000) < 500
    assert abs(len(tenth) - 4_000) < 300
    assert abs(len(half & other) - 10_000) < 435
    assert drawn("one", "contact", keys, 0, 5_000) != half
    assert set(drawn("one", "account", [5, 3, 40_000], 0, 5_000)) == {k for k in (5, 3, 40_000) if k in half}


def test_changed_shares_move_only_those_between(split, admin):
    before = groups_of(split)
    changed = update_split(admin, split, {"groups": [Group("A", 7_000), Group("B", 3_000)]}, 1)
    build(changed.groups.all())
    after = groups_of(changed)
    assert before["A"] <= after["A"]
    assert after["B"] <= before["B"]
    group = changed.groups.get(name="A").segment
    assert group.rules_version == 2
    assert "70 %" in group.sentence


@pytest.mark.parametrize("shares", [[5_000, 4_000], [10_000], [9_999, 2]])
def test_shares_make_a_hundred(admin, shares):
    base = saved(larger_than(1), "Everybody")
    with pytest.raises(ValidationError) as refused:
        create_split(admin, name="T", base=base, groups=[Group(f"G{n}", share) for n, share in enumerate(shares)])
    assert "groups" in refused.value.message_dict


@pytest.mark.parametrize("text", ["", "half", "0", "0.001", "101", "nan", "-5"])
def test_a_share_is_a_percentage(text):
    with pytest.raises(ValidationError, match="percent"):
        share_of(text)
    assert share_of("12.5 %".strip()) == 1_250


def test_a_deleted_split_leaves_groups_as_they_were_drawn(split, admin):
    group = split.groups.get(name="A").segment
    before = member_ids(group)
    delete_split(admin, split)
    from segments.services.saving import restore_segment

    restore_segment(admin, group)
    rebuild_segment(group.pk)
    assert member_ids(Segment.objects.get(pk=group.pk)) == before
