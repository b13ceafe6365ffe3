"""Who belongs: exclude over parent limit over include over rule, against plain sets; a child stays in its parent."""

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from pyroaring import BitMap

from accounts.models import Account
from segmentation_crm.common.models import Role
from segments.models import Segment, SegmentMembership, SegmentOverride, SplitGroup
from segments.services.composing import membership_of
from segments.services.lots import lot_of
from segments.services.overrides import remove_override, set_override
from segments.services.partitions import Part, create_partition
from segments.services.rebuilding import rebuild_segment
from segments.services.saving import update_segment
from segments.services.splits import Group, create_split
from tests.factories import AccountFactory, UserFactory

from .making import larger_than, member_ids, saved

PEOPLE = 8
SUBSETS = st.sets(st.integers(0, PEOPLE - 1))
FEW = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["size", "include", "exclude", "decide_no_more", "rebuild", "rule", "parent", "gone"]),
        st.sampled_from(["parent", "child", "grandchild"]),
        st.integers(0, PEOPLE - 1),
        st.sampled_from([1, 100, 500]),
    ),
    max_size=10,
)


class Composition(TestCase):
    """Properties over a handful of accounts, a fresh database each example."""

    def setUp(self):
        self.admin = UserFactory(role=Role.ADMIN)
        self.accounts = [AccountFactory(employee_count=100 * number + 50) for number in range(PEOPLE)]
        self.keys = [account.pk for account in self.accounts]

    def of(self, numbers):
        return {self.keys[number] for number in numbers}

    def decide(self, segment, included, excluded):
        rows = [("include", key) for key in included - excluded] + [("exclude", key) for key in excluded]
        SegmentOverride.objects.bulk_create(
            SegmentOverride(segment=segment, account_id=key, mode=mode, reason="x") for mode, key in rows
        )

    @given(SUBSETS, SUBSETS, SUBSETS, st.none() | SUBSETS, SUBSETS, st.none() | SUBSETS, st.booleans())
    @FEW
    def test_against_plain_sets(self, rule, included, excluded, parents, dead, asked, drawn):
        chosen, within = self.of(rule), None if parents is None else self.of(parents)
        include, exclude, gone = self.of(included), self.of(excluded), self.of(dead)
        Account.objects.filter(pk__in=gone).update(deleted_at=timezone.now())
        segment = saved(larger_than(1), "S", self.admin)
        if within is not None:
            parent = saved(larger_than(1), "P", self.admin)
            SegmentMembership.objects.bulk_create(
                SegmentMembership(segment=parent, account_id=key, entered_at=timezone.now()) for key in within
            )
            Segment.objects.filter(pk=segment.pk).update(parent=parent)
        if drawn:
            split = create_split(
                self.admin, name="T", base=segment, groups=[Group("A", 5_000), Group("B", 5_000)], seed="s"
            )
            # The group stands for the segment: same decisions, same parent.
            group = SplitGroup.objects.get(split=split, position=1).segment
            Segment.objects.filter(pk=group.pk).update(parent=Segment.objects.get(pk=segment.pk).parent)
            segment = group
        segment.refresh_from_db()
        self.decide(segment, include, exclude)

        by_rule = {key for key in chosen if not drawn or lot_of("s", "account", key) < 5_000}
        expected = (by_rule | {key for key in include - exclude if key not in gone}) - exclude
        if within is not None:
            expected &= within
        keys = None if asked is None else self.of(asked)
        if keys is not None:
            expected &= keys
        found = membership_of(segment, BitMap(chosen), None if keys is None else BitMap(keys))
        assert set(found) == expected

    @given(STEPS)
    @settings(FEW, max_examples=15)
    def test_a_child_is_never_outside_its_parent(self, steps):
        parent = saved(larger_than(100), "Parent", self.admin)
        child = saved(larger_than(1), "Child", self.admin, parent=parent)
        grandchild = saved(None, "Grandchild", self.admin, kind="static", parent=child)
        named = {"parent": parent, "child": child, "grandchild": grandchild}
        for act, name, number, size in steps:
            self.act(act, named[name], self.accounts[number], size, named)
            segments = {key: Segment.objects.get(pk=one.pk) for key, one in named.items()}
            for segment in segments.values():
                if segment.parent_id:
                    above = next(one for one in segments.values() if one.pk == segment.parent_id)
                    assert member_ids(segment) <= member_ids(above), (act, name)
                assert segment.member_count == len(member_ids(segment))

    def act(self, act, segment, account, size, named):
        segment = Segment.objects.get(pk=segment.pk)
        if act == "size":
            Account.objects.filter(pk=account.pk).update(employee_count=size)
        elif act == "gone":
            Account.objects.filter(pk=account.pk).update(deleted_at=timezone.now())
        elif act in ("include", "exclude"):
            if Account.objects.live().filter(pk=account.pk).exists():
                set_override(self.admin, segment, account.pk, act, "because")
        elif act == "decide_no_more":
            override = segment.overrides.filter(account=account).first()
            if override:
                remove_override(self.admin, segment, override)
        elif act == "rebuild":
            rebuild_segment(segment.pk)
        elif act == "rule" and segment.kind != "static":
            update_segment(self.admin, segment, {"rules": larger_than(size)})
        elif act == "parent" and segment.pk != named["parent"].pk:
            wanted = named["parent"] if size > 1 or segment.pk == named["child"].pk else None
            update_segment(self.admin, segment, {"parent": wanted})

    @given(st.lists(st.sampled_from([1, 200, 450, 700]), min_size=1, max_size=3, unique=True), st.data())
    @settings(FEW, max_examples=12)
    def test_parts_are_disjoint_always_and_complete_when_built(self, sizes, data):
        sources = [saved(larger_than(size), f"S{size}", self.admin) for size in sizes]
        partition = create_partition(
            self.admin, name="P", member_type="account", parts=[Part(one.name, one) for one in sources]
        )
        parts = [part.segment_id for part in partition.parts.all()]
        plan = data.draw(st.lists(st.sampled_from([*(one.pk for one in sources), *parts, 0]), max_size=12))
        for pk in [*plan, *(one.pk for one in sources), *parts]:
            if pk:
                rebuild_segment(pk)
            else:
                account = data.draw(st.sampled_from(self.keys))
                size = data.draw(st.sampled_from([0, 300, 500, 900]))
                Account.objects.filter(pk=account).update(employee_count=size)
            found = [member_ids(Segment.objects.get(pk=part)) for part in parts]
            assert sum(map(len, found)) == len(set().union(*found))
        assert set().union(*found) == set(Account.objects.values_list("pk", flat=True))
        for account in Account.objects.all():
            first = next((i for i, size in enumerate(sizes) if account.employee_count >= size), len(sizes))
            assert account.pk in found[first]


@pytest.mark.django_db
def test_a_snapshot_gets_back_whom_a_decision_or_the_parent_took():
    admin = UserFactory(role=Role.ADMIN)
    account = AccountFactory(employee_count=500)
    parent = saved(larger_than(100), "Parent", admin)
    rebuild_segment(parent.pk)
    segment = saved(larger_than(100), "Snap", admin, kind="snapshot", parent=parent)
    rebuild_segment(segment.pk)
    override, _ = set_override(admin, segment, account.pk, "exclude", "for now")
    assert member_ids(segment) == set()
    remove_override(admin, segment, override)
    assert member_ids(segment) == {account.pk}
    Account.objects.filter(pk=account.pk).update(employee_count=5)
    rebuild_segment(parent.pk)
    assert member_ids(segment) == set()
    Account.objects.filter(pk=account.pk).update(employee_count=500)
    rebuild_segment(parent.pk)
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {account.pk}
