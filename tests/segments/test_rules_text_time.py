"""RULES.md sentence by sentence, part 2: as_of, event times, days, windows, periods, anniversaries, history.

The right answers are worked out by hand from the text, in zones far from UTC and over changes of the clocks.
"""

import datetime as dt
from typing import Any

import pytest

from accounts.models import Account, Contact
from segmentation_crm.common.effective_time import effective_time
from tests import factories as make

from .asking import at, condition, days, figure, group, in_zone, names, refused, related

pytestmark = pytest.mark.django_db


def moments(field: str, *texts: str) -> None:
    """Make accounts named a, b, c … that hold these moments or days in a field."""
    for name, text in zip("abcdefghijkl", texts, strict=False):
        value: Any = text or None
        if text and "T" in text:
            value = at(text)
        elif text:
            value = dt.date.fromisoformat(text)
        make.AccountFactory(name=name, **{field: value})


def seen(*texts: str) -> None:
    """Make activities with the paths a, b, c … at these moments."""
    contact = make.ContactFactory()
    for path, text in zip("abcdefgh", texts, strict=False):
        make.ActivityFactory(contact=contact, url_path=path, occurred_at=at(text))


def activities(rule: dict[str, Any], as_of: Any) -> str:
    return names(rule, "activity", as_of, "url_path")


# --- days begin in the organisation's time zone ---
def test_5_4_days_begin_in_the_organisations_time_zone_on_a_day_of_25_hours() -> None:
    """Auckland, 5 April 2026: from 4 April 11:00 UTC to 5 April 12:00 UTC."""
    in_zone("Pacific/Auckland")
    seen(
        "2026-04-04T10:59:59+00:00", "2026-04-04T11:00:00+00:00", "2026-04-05T11:59:59+00:00", "2026-04-05T12:00+00:00"
    )
    later, field = at("2026-04-20T00:00+12:00"), "activity.occurred_at"
    assert activities(condition(field, "on", "2026-04-05"), later) == "b c"
    assert activities(condition(field, "before", "2026-04-05"), later) == "a"
    assert activities(condition(field, "after", "2026-04-05"), later) == "d"
    assert activities(condition(field, "on_or_before", "2026-04-05"), later) == "a b c"
    assert activities(condition(field, "on_or_after", "2026-04-05"), later) == "b c d"
    assert activities(condition(field, "between", ["2026-04-05", "2026-04-05"]), later) == "b c"
    assert activities(condition(field, "not_on", "2026-04-05"), later) == "a d"
    # A datetime without zone is local; with zone it is that very moment.
    assert activities(condition(field, "on_or_after", "2026-04-05T00:00"), later) == "b c d"
    assert activities(condition(field, "on", "2026-04-05T11:59:59Z"), later) == "c"


def test_5_4_a_bare_date_as_as_of_is_the_end_of_that_local_day() -> None:
    in_zone("Pacific/Auckland")
    seen("2026-04-04T11:00:00+00:00", "2026-04-05T11:59:59+00:00", "2026-04-05T12:00:00+00:00")
    everything = condition("activity.type", "is_set")
    assert activities(everything, dt.date(2026, 4, 5)) == "a b"
    assert activities(everything, dt.date(2026, 4, 4)) == ""
    assert activities(condition("activity.occurred_at", "on", "today"), dt.date(2026, 4, 5)) == "a b"
    # As a moment as_of is itself excluded.
    assert activities(everything, at("2026-04-05T11:59:59+00:00")) == "a"


def test_5_4_related_rows_with_an_event_time_from_as_of_on_do_not_exist() -> None:
    in_zone("America/New_York")
    as_of = at("2026-06-15T12:00:00-04:00")
    past, same, future = as_of - dt.timedelta(seconds=1), as_of, as_of + dt.timedelta(days=1)
    for name, when in (("past", past), ("same", same), ("future", future), ("empty", None)):
        account = make.AccountFactory(name=name)
        make.PurchaseFactory(account=account, ordered_at=when)
        make.SupportCaseFactory(account=account, opened_at=when)
        make.SurveyAnswerFactory(account=account, answered_at=when)
        make.OpportunityFactory(account=account, name=name, opened_on=when and when.date())
        if when:
            make.ActivityFactory(contact=None, account=account, occurred_at=when)
    for relation in ("purchases", "support_cases", "survey_answers"):
        assert names(related(f"account.{relation}", "some"), as_of=as_of) == "empty past", relation
    assert names(related("account.activities", "some"), as_of=as_of) == "past"
    # A date counts as its local midnight: today's exist from the first moment after it.
    assert names(related("account.opportunities", "some"), as_of=as_of) == "empty past same"
    midnight = at("2026-06-15T00:00:00-04:00")
    assert names(related("account.opportunities", "some"), as_of=midnight) == "empty"
    tick = midnight + dt.timedelta(microseconds=1)
    assert names(related("account.opportunities", "some"), as_of=tick) == "empty past same"
    # The same holds when such a type is the member type.
    assert names(condition("opportunity.name", "is_set"), "opportunity", midnight) == "empty"
    assert names(condition("opportunity.name", "is_set"), "opportunity", tick) == "empty past same"


def test_5_4_no_other_relation_has_an_event_time() -> None:
    as_of = at("2020-01-01T00:00:00+00:00")
    account = make.AccountFactory(name="a")
    make.ContactFactory(account=account)
    make.ContractFactory(account=account, starts_on=dt.date(2030, 1, 1))
    make.NeedFactory(account=account, confirmed_on=dt.date(2030, 1, 1))
    make.AccountTechnologyFactory(account=account, first_seen=dt.date(2030, 1, 1))
    make.AccountFactory(name="child", parent_account=account)
    for relation in ("contacts", "contracts", "needs", "technologies", "children"):
        assert names(related(f"account.{relation}", "some"), as_of=as_of) == "a", relation


def test_5_4_figures_and_shortcuts_read_only_what_was_there() -> None:
    account = make.AccountFactory(name="a")
    make.ActivityFactory(contact=None, account=account, occurred_at=at("2026-01-10T12:00+00:00"))
    make.ActivityFactory(contact=None, account=account, occurred_at=at("2026-03-10T12:00+00:00"))
    count = figure("account.activities", "count", "eq", 1)
    assert names(count, as_of=dt.date(2026, 2, 1)) == "a"
    assert names(count, as_of=dt.date(2026, 4, 1)) == ""
    assert names(condition("account.last_engaged_at", "on", "2026-01-10"), as_of=dt.date(2026, 2, 1)) == "a"
    assert names(condition("account.engaged_90d", "is_false"), as_of=dt.date(2025, 12, 1)) == "a"
    # 90 days back from 10 April is 10 January; from 11 April it is the 11th.
    make.ActivityFactory._meta.model.objects.filter(occurred_at__month=3).delete()
    assert names(condition("account.engaged_90d", "is_true"), as_of=dt.date(2026, 4, 10)) == "a"
    assert names(condition("account.engaged_90d", "is_true"), as_of=dt.date(2026, 4, 11)) == ""


# --- windows ---
def test_5_5_in_last_runs_from_local_midnight_n_units_back_up_to_as_of() -> None:
    """New York, 31 March 2026 15:00; a month back is 28 February, when the offset was −5 hours."""
    in_zone("America/New_York")
    as_of = at("2026-03-31T15:00:00-04:00")
    moments(
        "became_customer_at",
        "2026-02-28T04:59:59+00:00",
        "2026-02-28T05:00:00+00:00",
        "2026-03-31T14:59:59-04:00",
        "2026-03-31T15:00:00-04:00",
        "",
    )
    month = days(1, "month")
    field = "account.became_customer_at"
    assert names(condition(field, "in_last", month), as_of=as_of) == "b c"
    assert names(condition(field, "not_in_last", month), as_of=as_of) == "a d e"
    assert names(condition(field, "more_than_ago", month), as_of=as_of) == "a"
    assert names(condition(field, "in_next", days(1)), as_of=as_of) == "d"
    assert names(condition(field, "not_in_next", days(1)), as_of=as_of) == "a b c e"
    assert names(condition(field, "on", {"ago": month}), as_of=as_of) == "b"


def test_5_5_month_ends_are_clamped_and_date_fields_include_today() -> None:
    as_of = at("2026-03-31T15:00:00+00:00")
    moments(
        "customer_since",
        "2026-02-27",
        "2026-02-28",
        "2026-03-01",
        "2026-03-31",
        "2026-04-01",
        "2026-04-30",
        "2026-05-01",
    )
    field, month = "account.customer_since", days(1, "month")
    assert names(condition(field, "in_last", month), as_of=as_of) == "b c d"
    assert names(condition(field, "more_than_ago", month), as_of=as_of) == "a"
    # A month ahead of 31 March is 30 April; today is included.
    assert names(condition(field, "in_next", month), as_of=as_of) == "d e f"
    assert names(condition(field, "in_last", days(1)), as_of=as_of) == "d"
    assert names(condition(field, "on", {"ahead": month}), as_of=as_of) == "f"
    assert names(condition(field, "after", "today"), as_of=as_of) == "e f g"
    assert names(condition(field, "between", [{"ago": month}, "today"]), as_of=as_of) == "b c d"
    # A moment as the operand of a date field stands for its local day.
    assert names(condition(field, "on", "2026-03-31T23:30:00Z"), as_of=as_of) == "d"


def test_5_5_in_last_of_quarters_and_years_from_29_february() -> None:
    as_of = at("2028-02-29T10:00:00+00:00")
    moments("customer_since", "2027-02-27", "2027-02-28", "2027-11-28", "2027-11-29", "2026-02-28")
    assert names(condition("account.customer_since", "in_last", days(1, "year")), as_of=as_of) == "b c d"
    assert names(condition("account.customer_since", "in_last", days(1, "quarter")), as_of=as_of) == "d"
    assert names(condition("account.customer_since", "in_last", days(2, "year")), as_of=as_of) == "a b c d e"


def test_5_5_in_next_ends_with_the_local_day_n_units_ahead_on_a_day_of_23_hours() -> None:
    """New York, 7 March 2026; the clocks go forward on the 8th, whose end is 9 March 04:00 UTC."""
    in_zone("America/New_York")
    as_of = at("2026-03-07T12:00:00-05:00")
    moments(
        "became_customer_at",
        "2026-03-07T11:59:59-05:00",
        "2026-03-07T12:00:00-05:00",
        "2026-03-09T03:59:59+00:00",
        "2026-03-09T04:00:00+00:00",
    )
    assert names(condition("account.became_customer_at", "in_next", days(1)), as_of=as_of) == "b c"


def test_5_5_weeks_begin_on_monday() -> None:
    """1 November 2026 is a Sunday, on which New York's clocks go back."""
    in_zone("America/New_York")
    as_of = at("2026-11-01T12:00:00-05:00")
    moments("customer_since", "2026-10-18", "2026-10-19", "2026-10-25", "2026-10-26", "2026-11-01", "2026-11-02")
    field = "account.customer_since"
    assert names(condition(field, "in_period", "this_week"), as_of=as_of) == "d e"
    assert names(condition(field, "in_period", "last_week"), as_of=as_of) == "b c"
    assert names(condition(field, "not_in_period", "last_week"), as_of=as_of) == "a d e f"
    assert names(condition(field, "in_last", days(1, "week")), as_of=as_of) == "c d e"


def test_3_periods_of_moments_and_fiscal_years() -> None:
    """Auckland, fiscal year from April: 1 April 2026 00:00 local is 31 March 11:00 UTC."""
    in_zone("Pacific/Auckland", fiscal_year_start_month=4)
    as_of = at("2026-05-15T12:00:00+12:00")
    moments(
        "became_customer_at",
        "2026-03-31T10:59:59Z",
        "2026-03-31T11:00:00Z",
        "2025-03-31T10:59:59Z",
        "2026-04-30T12:00Z",
    )
    field = "account.became_customer_at"
    assert names(condition(field, "in_period", "this_fiscal_year"), as_of=as_of) == "b d"
    assert names(condition(field, "in_period", "last_fiscal_year"), as_of=as_of) == "a"
    assert names(condition(field, "in_period", "this_fiscal_quarter"), as_of=as_of) == "b d"
    assert names(condition(field, "in_period", "last_quarter"), as_of=as_of) == "a"
    assert names(condition(field, "in_period", "this_month"), as_of=as_of) == "d"
    assert names(condition(field, "in_period", "last_month"), as_of=as_of) == "b"


def test_4_anniversaries() -> None:
    """In 2027, no leap year, that of 29 February is the 28th; the window of `in_next` includes today."""
    moments("customer_since", "2024-02-29", "2020-02-28", "2026-03-01", "2027-02-27", "2025-02-26", "2025-03-02", "")
    field = "account.customer_since"
    soon = condition(field, "anniversary_in_next", days(2))
    assert names(soon, as_of=at("2027-02-26T08:00+00:00")) == "a b e"
    assert names(soon, as_of=at("2027-02-27T08:00+00:00")) == "a b c"
    # In 2028 it is the 29th itself.
    assert names(condition(field, "anniversary_in_next", days(1)), as_of=at("2028-02-27T08:00+00:00")) == "b d"
    assert names(condition(field, "anniversary_in_next", days(1)), as_of=at("2028-02-28T08:00+00:00")) == "a b"
    # Over the turn of the year.
    moments("churned_on", "2020-12-31", "2020-01-02", "2020-01-03")
    turn = condition("account.churned_on", "anniversary_in_next", days(3))
    assert names(turn, as_of=at("2026-12-30T08:00+00:00")) == "a b"


def test_4_anniversary_of_a_moment_is_that_of_its_local_day() -> None:
    in_zone("Pacific/Auckland")
    moments("became_customer_at", "2025-06-30T12:00:00Z", "2025-06-30T11:59:59Z")  # 1 July and 30 June local
    soon = condition("account.became_customer_at", "anniversary_in_next", days(1))
    assert names(soon, as_of=at("2026-06-30T23:00:00+12:00")) == "a b"
    assert names(soon, as_of=at("2026-07-01T01:00:00+12:00")) == "a"


# --- history ---
def held(name: str, *values: tuple[str, str, str | None]) -> None:
    """Make an account that had these tiers from and to these moments."""
    account = make.AccountFactory(name=name)
    for tier, start, end in values:
        make.FieldHistoryFactory(
            record_id=account.pk, field="tier", value=tier, valid_from=at(start), valid_to=end and at(end)
        )


def test_5_5_has_been_without_a_break_at_least_that_long() -> None:
    now = at("2026-06-30T12:00:00+00:00")
    held("long", ("1", "2026-01-01T00:00Z", None))
    held("short", ("2", "2026-01-01T00:00Z", "2026-06-25T00:00Z"), ("1", "2026-06-25T00:00Z", None))
    held("left", ("1", "2026-01-01T00:00Z", "2026-06-29T00:00Z"), ("2", "2026-06-29T00:00Z", None))
    held(
        "broken",
        ("1", "2026-01-01T00:00Z", "2026-06-10T00:00Z"),
        ("2", "2026-06-10T00:00Z", "2026-06-12T00:00Z"),
        ("1", "2026-06-12T00:00Z", None),
    )
    held("pieces", ("1", "2026-01-01T00:00Z", "2026-06-10T00:00Z"), ("1", "2026-06-10T00:00Z", None))
    held("none")
    long = condition("account.tier", "has_been", {"value": "1", "for": days(30)})
    assert names(long, as_of=now) == "long pieces"
    week = condition("account.tier", "has_been", {"value": "1", "for": days(5)})
    assert names(week, as_of=now) == "broken long pieces short"
    # At an earlier moment, what came later had not happened.
    assert names(long, as_of=at("2026-06-09T00:00Z")) == "broken left long pieces"
    ever = condition("account.tier", "has_ever_been", ["1", "3"])
    assert names(ever, as_of=at("2026-06-20T00:00Z")) == "broken left long pieces"
    assert names(condition("account.tier", "has_never_been", ["1"]), as_of=at("2026-06-20T00:00Z")) == "none short"


def test_4_changed_in_last() -> None:
    now = at("2026-06-30T12:00:00+00:00")
    held("changed", ("1", "2026-01-01T00:00Z", "2026-06-25T00:00Z"), ("2", "2026-06-25T00:00Z", None))
    held("emptied", ("1", "2026-01-01T00:00Z", "2026-06-26T00:00Z"), ("", "2026-06-26T00:00Z", None))
    held("before", ("1", "2026-01-01T00:00Z", "2026-06-22T23:59Z"), ("2", "2026-06-22T23:59Z", None))
    held("later", ("1", "2026-01-01T00:00Z", "2026-06-30T12:00Z"), ("2", "2026-06-30T12:00Z", None))
    held("none")
    assert names(condition("account.tier", "changed_in_last", days(7)), as_of=now) == "changed emptied"


def test_4_a_first_value_is_a_change_unless_the_record_was_made_with_it() -> None:
    """The trigger writes no row for an empty value, so the first row may be a change from unknown."""
    made = at("2026-06-01T00:00:00+00:00")
    with effective_time(made):
        for name, tier in (("new", "1"), ("unknown", ""), ("filled", "")):
            account = make.AccountFactory(name=name, tier=tier)
            Account.objects.filter(pk=account.pk).update(created_at=made)
        make.FieldHistoryFactory._meta.model.objects.update(valid_from=made)
    with effective_time(at("2026-06-28T00:00:00+00:00")):
        Account.objects.filter(name="filled").update(tier="2")
    now = at("2026-06-30T12:00:00+00:00")
    assert names(condition("account.tier", "changed_in_last", days(7)), as_of=now) == "filled"
    assert names(condition("account.tier", "changed_in_last", days(60)), as_of=now) == "filled"
    contact = make.ContactFactory(last_name="recycled", lead_status="")
    Contact.objects.filter(pk=contact.pk).update(lead_status="nurture")
    assert names(condition("contact.lead_status", "changed_in_last", days(1)), "contact") == "recycled"


def test_4_stages_keep_history() -> None:
    first, won = make.StageFactory(name="First"), make.StageFactory(name="Won it", is_won=True)
    deal = make.OpportunityFactory(name="deal", stage=first, opened_on=dt.date(2026, 1, 1))
    make.OpportunityFactory(name="other", stage=first, opened_on=dt.date(2026, 1, 1))
    with effective_time(at("2026-03-01T00:00:00+00:00")):
        type(deal).objects.filter(pk=deal.pk).update(stage=won)
    rule = condition("opportunity.stage", "has_ever_been", ["won it"])
    assert names(rule, "opportunity", dt.date(2026, 3, 1)) == "deal"
    assert names(rule, "opportunity", dt.date(2026, 2, 28)) == ""
    stayed = condition("opportunity.stage", "has_been", {"value": first.pk, "for": days(1, "month")})
    assert names(stayed, "opportunity", dt.date(2026, 2, 10)) == "deal other"
    assert names(stayed, "opportunity", dt.date(2026, 3, 10)) == "other"
    changed = condition("opportunity.stage", "changed_in_last", days(10))
    assert names(changed, "opportunity", dt.date(2026, 3, 5)) == "deal"
    assert names(changed, "opportunity", dt.date(2026, 1, 5)) == ""
    inside = related("account.opportunities", "some", rule)
    assert len(names(inside, as_of=dt.date(2026, 3, 5)).split()) == 2  # "Account n"


# --- limits ---
def test_1_a_duration_is_1_to_36500_days_or_its_equal() -> None:
    for n, unit in ((36_500, "day"), (5_214, "week"), (1_200, "month"), (400, "quarter"), (100, "year")):
        rule = condition("account.customer_since", "in_last", {"n": n, "unit": unit})
        assert names(rule) == ""
        rule["value"]["n"] += 1
        assert refused(rule) == [(("rules", 0, "value", "n"), "out_of_range")]
    for value in ({"n": 0, "unit": "day"}, {"n": 1.5, "unit": "day"}, {"n": "1", "unit": "day"}, {"n": 1}, 30):
        assert refused(condition("account.customer_since", "in_last", value))[0][0][:3] == ("rules", 0, "value")
    for value in ("0000-01-01", "2026-02-29", "2026-13-01", "tomorrow", "20260101", 20260101):
        assert refused(condition("account.customer_since", "on", value)) == [(("rules", 0, "value"), "bad_date")] or (
            refused(condition("account.customer_since", "on", value)) == [(("rules", 0, "value"), "wrong_type")]
        )


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "America/New_York"])
def test_1_years_are_1_to_9999(zone: str) -> None:
    in_zone(zone)
    moments("customer_since", "0001-01-01", "9999-12-31", "2026-01-01")
    for operator, day, wanted in (
        ("on_or_before", "0001-01-01", "a"),
        ("before", "0001-01-01", ""),
        ("after", "9999-12-31", ""),
        ("on_or_after", "9999-12-31", "b"),
    ):
        assert names(condition("account.customer_since", operator, day)) == wanted


def test_5_4_plain_columns_are_todays() -> None:
    make.AccountFactory(name="a", employee_count=5)
    assert names(condition("account.employee_count", "eq", 5), as_of=dt.date(1990, 1, 1)) == "a"
    both = group(condition("account.employee_count", "eq", 5), figure("account.purchases", "count", "eq", 0))
    assert names(both, as_of=dt.date(1990, 1, 1)) == "a"
