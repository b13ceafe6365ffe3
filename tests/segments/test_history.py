"""Members at any past moment: folding runs equals playing them one by one, whatever was kept in between (N2)."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from accounts.models import Account
from segmentation_crm.common.effective_time import effective_time
from segments.choices import RunCause
from segments.history import begins_at, changes_between, folding, keep_states, members_at, moved_after, moved_within
from segments.history.charting import size_series
from segments.history.moves import last_moves, moves_of
from segments.models import MembershipChange, SegmentRun, SegmentState
from segments.rules.clock import Clock
from segments.rules.evaluate import matching_keys, member_bitmap, member_queryset
from segments.rules.validate import validate
from segments.services.membership import current_members
from segments.services.overrides import set_override
from segments.services.rebuilding import rebuild_segment
from segments.services.storing import Words, store_difference
from tests.factories import AccountFactory, UserFactory
from tests.segments.making import all_of, built, larger_than, saved

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 5, 12, tzinfo=UTC)


def at(days, hours=0):
    return START + timedelta(days=days, hours=hours)


def move(segment, day, entered=(), left=(), cause=RunCause.DATA, **more):
    """Store one run of a segment, the way every service does."""
    return store_difference(
        segment, BitMap(entered), BitMap(left), as_of=at(day), cause=cause, version=segment.rules_version, **more
    )


@pytest.fixture
def segment():
    return saved(larger_than(1_000_000))


@pytest.fixture
def keys(segment):
    return [AccountFactory().pk for _ in range(6)]


STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # how many days after the run before: none, so that runs share a moment, or some
        st.integers(-2, 0),  # and how much of that a slow run's own moment lies back
        st.frozensets(st.integers(0, 5), max_size=4),  # who moves, out if in, in if out
        st.booleans(),  # whether states are kept after it
    ),
    min_size=1,
    max_size=12,
)


@given(steps=STEPS, asked=st.integers(-1, 40))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_folding_equals_playing_the_runs(segment, keys, monkeypatch, steps, asked):
    monkeypatch.setattr(folding, "RUNS_BETWEEN_STATES", 2)
    SegmentRun.objects.filter(segment=segment).delete()
    segment.memberships.all().delete()
    day, members, log = 0, set(), []
    for gap, back, moving, keep in steps:
        day += gap
        chosen = {keys[number] for number in moving}
        entered, left = chosen - members, chosen & members
        members = (members | entered) - left
        if chosen:
            move(segment, max(0, day + back), entered, left)
            log.append((max(0, day + back), entered, left))
        if keep:
            keep_states(segment)

    def played(moment):
        found, known = set(), False
        for when, entered, left in log:
            if when <= moment:
                known = True
                found = (found | entered) - left
        return found if known else None

    for moment in {asked, day, day + 1, 0, *(when for when, _, _ in log)}:
        found = members_at(segment, at(moment))
        assert (None if found is None else set(found)) == played(moment)
    assert set(members_at(segment, at(99)) or ()) == members == set(current_members(segment))
    between = changes_between(segment, at(asked), at(day))
    assert set(between.entered) == (played(day) or set()) - (played(asked) or set())
    assert set(between.left) == (played(asked) or set()) - (played(day) or set())
    events = moved_within([segment], at(asked), at(day))
    assert set(events.entered) == {k for when, entered, _ in log if asked <= when <= day for k in entered}
    moved, inside = moved_after([segment.pk], at(asked))
    assert set(moved) == {k for when, e, left in log if when > asked for k in e | left}
    assert set(inside) == set(moved) & (played(asked) or set())
    listed = [(m.key, m.entered) for m in moves_of(segment, limit=1000)]
    assert listed == [(k, e) for _, i, o in log for e, ks in ((True, i), (False, o)) for k in sorted(ks)]


def test_states_are_kept_where_the_runs_grow_heavy_and_read_from_there(
    segment, keys, monkeypatch, django_assert_num_queries
):
    monkeypatch.setattr(folding, "RUNS_BETWEEN_STATES", 3)
    for day in range(8):
        move(segment, day, [keys[0]] if day % 2 == 0 else [], [] if day % 2 == 0 else [keys[0]])
    assert keep_states(segment) == 2
    assert keep_states(segment) == 0
    assert [state.as_of for state in SegmentState.objects.order_by("run_id")] == [at(2), at(5)]
    SegmentRun.objects.filter(as_of__lt=at(4)).exclude(state__isnull=False).update(entered=BitMap([99]).serialize())
    with django_assert_num_queries(2):
        assert set(members_at(segment, at(6))) == {keys[0]}


def test_history_begins_with_the_first_run(segment, keys):
    assert (begins_at(segment), members_at(segment, at(1))) == (None, None)
    move(segment, 3, keys[:2])
    assert begins_at(segment) == at(3)
    assert members_at(segment, at(3) - timedelta(microseconds=1)) is None
    assert set(members_at(segment, at(3))) == set(keys[:2])


def test_runs_that_failed_change_nothing(segment, keys):
    move(segment, 0, keys[:1])
    SegmentRun.objects.create(
        segment=segment, version=1, cause="rebuild", as_of=at(1), started_at=at(1), finished_at=at(1), error="Broken.",
        entered=BitMap(keys).serialize(),
    )  # fmt: skip
    assert set(members_at(segment, at(2))) == set(keys[:1])
    assert moves_of(segment, limit=10)[-1].at == at(0)


def test_rebuilds_and_decisions_by_hand_fold_to_the_stored_members(admin):
    large, small = AccountFactory(employee_count=900), AccountFactory(employee_count=9)
    segment = built(larger_than(100))
    set_override(admin, segment, small.pk, "include", "An old friend")
    Account.objects.filter(pk=large.pk).update(employee_count=1)
    rebuild_segment(segment.pk)
    segment.refresh_from_db()
    now = segment.last_built_at
    assert set(members_at(segment, now)) == {small.pk} == set(current_members(segment))
    causes = [(m.key, m.entered, m.cause) for m in moves_of(segment, limit=10)]
    assert causes == [(large.pk, True, "rebuild"), (small.pk, True, "manual"), (large.pk, False, "rebuild")]


@pytest.fixture
def admin():
    return UserFactory(role="admin", first_name="Ann", last_name="Lee")


# --- rules over history ---
def rule(operator, value, member_type="account"):
    key = "segment" if member_type == "account" else "account.segment"
    return validate(all_of({"field": key, "operator": operator, "value": value}), member_type)


def answers(rule, moment):
    """Return the keys by bitmaps, by one query and by the restricted query, which must be the same."""
    clock = Clock.at(moment)
    found = set(member_bitmap(rule, clock))
    assert set(member_queryset(rule, clock).values_list("pk", flat=True)) == found
    assert set(matching_keys(rule, Account.objects.values_list("pk", flat=True), clock)) == found
    return found


def test_rules_ask_who_entered_who_left_and_who_was_in(segment, keys):
    a, b, c = keys[:3]
    move(segment, 0, [a, b])
    move(segment, 40, [c], [a])
    move(segment, 50, [a], [c])
    within = {"segment": segment.slug, "within": {"n": 15, "unit": "day"}}
    assert answers(rule("entered_in_last", within), at(52)) == {a, c}
    assert answers(rule("left_in_last", within), at(52)) == {a, c}
    assert answers(rule("entered_in_last", within), at(56)) == {a}
    assert answers(rule("left_in_last", within), at(45)) == {a}
    for day, members in ((0, {a, b}), (39, {a, b}), (40, {b, c}), (50, {a, b}), (-1, set())):
        asked = {"segment": segment.slug, "at": at(day).date().isoformat()}
        assert answers(rule("was_in_at", asked), at(60)) == members, day
    ago = {"segment": segment.slug, "at": {"ago": {"n": 10, "unit": "day"}}}
    assert answers(rule("was_in_at", ago), at(55)) == {b, c}
    # What has not come yet is read as it stands.
    assert answers(rule("was_in_at", {"segment": segment.slug, "at": "2030-01-01"}), at(45)) == {b, c}
    assert answers(rule("was_in_at", {"segment": segment.slug, "at": "2030-01-01"}), at(60)) == {a, b}


def test_in_reads_the_state_at_a_past_as_of(segment, keys):
    a, b, c = keys[:3]
    move(segment, 0, [a, b])
    move(segment, 10, [c], [a])
    asked, negative = rule("in", [segment.slug]), rule("not_in", [segment.slug])
    everybody = set(Account.objects.values_list("pk", flat=True))
    for day, members in ((-1, set()), (0, {a, b}), (9, {a, b}), (10, {b, c}), (99, {b, c})):
        assert answers(asked, at(day)) == members, day
        assert answers(negative, at(day)) == everybody - members, day


def test_history_through_the_account_of_a_contact_needs_a_live_account(segment, keys):
    from accounts.models import Contact
    from tests.factories import ContactFactory

    own, loose = ContactFactory(account_id=keys[0]), ContactFactory(account=None)
    move(segment, 0, keys[:1])
    move(segment, 10, [], keys[:1])
    for operator, value, day in (
        ("in", [segment.slug], 5),
        ("was_in_at", {"segment": segment.slug, "at": at(5).date().isoformat()}, 50),
        ("entered_in_last", {"segment": segment.slug, "within": {"n": 30, "unit": "day"}}, 20),
    ):
        asked = rule(operator, value, "contact")
        clock = Clock.at(at(day))
        assert set(member_bitmap(asked, clock)) == {own.pk}
        assert set(member_queryset(asked, clock).values_list("pk", flat=True)) == {own.pk}
        negated = validate({**asked.canonical, "not": True}, "contact")
        assert set(member_queryset(negated, clock).values_list("pk", flat=True)) == {loose.pk}
        assert set(member_bitmap(negated, clock)) == {loose.pk}
    Account.objects.filter(pk=keys[0]).update(deleted_at=at(0))
    assert Contact.objects.filter(pk=own.pk).exists()
    assert own.pk not in set(member_queryset(asked, Clock.at(at(20))).values_list("pk", flat=True))


def test_the_sentence_says_when():
    saved(larger_than(10), "Key accounts")
    from segments.rules.describe import describe

    within = {"segment": "key-accounts", "within": {"n": 30, "unit": "day"}}
    assert describe(rule("entered_in_last", within)) == (
        "Accounts that entered the segment Key accounts in the last 30 days."
    )
    assert describe(rule("left_in_last", within, "contact")) == (
        "Contacts whose account left the segment Key accounts in the last 30 days."
    )
    was = {"segment": "key-accounts", "at": "2026-03-31"}
    assert describe(rule("was_in_at", was)) == (
        "Accounts that were in the segment Key accounts at the end of 31 March 2026."
    )
    assert describe(rule("was_in_at", {**was, "at": "today"}, "contact")) == (
        "Contacts whose account was in the segment Key accounts today."
    )


# --- the chart, and single moves ---
def test_the_chart_counts_by_day_week_and_month(segment, keys):
    move(segment, 0, keys[:3])
    move(segment, 1, [], keys[:1])
    move(segment, 40, keys[3:4])
    clock = Clock.at(at(45))
    days = size_series(segment, "day", clock)
    assert [(bar.size, bar.entered, bar.left) for bar in days[:3]] == [(0, 0, 0), (3, 3, 0), (2, 0, 1)]
    assert days[0].first == at(-1).date()
    assert days[-1].last == at(45).date()
    assert days[-1].size == 3
    months = size_series(segment, "month", clock)
    assert [(bar.first.month, bar.size, bar.entered, bar.left) for bar in months] == [
        (12, 0, 0, 0), (1, 2, 3, 1), (2, 3, 1, 0),
    ]  # fmt: skip
    assert sum(bar.entered for bar in size_series(segment, "week", clock)) == 4
    seen = BitMap(keys[1:3])
    part = size_series(segment, "month", clock, seen)
    assert [(bar.size, bar.entered, bar.left) for bar in part] == [(0, 0, 0), (2, 2, 0), (2, 0, 0)]


def test_the_latest_move_is_found_in_rows_and_in_great_runs(segment, keys, monkeypatch):
    a, b = keys[:2]
    move(segment, 0, [a], words={a: Words("account.employee_count", "80", "240", "Employees 80 → 240")})
    monkeypatch.setattr("segments.services.storing.KEPT_OF_OTHERS", 0)
    move(segment, 5, [b], [a], cause=RunCause.DEFINITION)
    assert MembershipChange.objects.count() == 1
    assert SegmentRun.objects.get(as_of=at(5)).causes_cut
    entered = last_moves(segment, [a, b], since=None, until=at(9), entered=True)
    assert {key: (found.at, found.cause) for key, found in entered.items()} == {
        a: (at(0), "data"), b: (at(5), "definition"),
    }  # fmt: skip
    assert entered[a].words == "Employees 80 → 240"
    assert last_moves(segment, [a], since=at(5), until=at(9), entered=False) == {}
    assert last_moves(segment, [a], since=at(4), until=at(9), entered=False)[a].run_id


def test_what_happens_inside_an_effective_time_counts_from_it(admin, segment, keys):
    with effective_time(at(3)):
        set_override(admin, segment, keys[0], "include", "Seen at the fair")
    assert set(members_at(segment, at(3))) == {keys[0]}
