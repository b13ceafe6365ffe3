"""The operators of every value type, the modes of related rows and the functions of aggregates: RULES §4 as tables.

One declaration gives the validation, the compiled query, the builder's words and the sentence. A negative operator
names its positive twin and is exactly NOT of it, so it also holds where the value is empty.
"""

from dataclasses import dataclass
from functools import cache

# What stands in "value". one: a value of the field's type; list: several; range: two, both ends included;
# share: a number above 0 and up to 100; number_test: {"operator", "value"}; held: {"value", "for"}; within: {"segment",
# "within"}, a segment and a duration; at: {"segment", "at"}, a segment and a moment.
OPERANDS = ("none", "one", "list", "range", "share", "duration", "period", "number_test", "held", "within", "at")


@dataclass(frozen=True)
class Operator:
    """One operator of a type.

    positive: the operator that it negates, or its own name. label: as the builder shows it. words: as the sentence
    says it, `{}` standing for the operand. more: folded under "more" in the builder.
    """

    name: str
    positive: str
    operand: str
    label: str
    words: str
    more: bool = False

    @property
    def negative(self) -> bool:
        """Tell whether this is exactly NOT of another operator."""
        return self.positive != self.name


def _op(name: str, operand: str, label: str, words: str = "", positive: str = "", more: bool = True) -> Operator:
    return Operator(
        name, positive or name, operand, label, words or (f"{label} {{}}" if operand != "none" else label), more
    )


_PRESENCE = (
    _op("is_empty", "none", "is unknown"),
    _op("is_set", "none", "is known"),
)
_TEXT = (
    _op("eq", "one", "is", more=False),
    _op("neq", "one", "is not", positive="eq", more=False),
    _op("in", "list", "is one of", more=False),
    _op("not_in", "list", "is none of", positive="in"),
    _op("contains", "one", "contains", more=False),
    _op("not_contains", "one", "does not contain", positive="contains"),
    _op("starts_with", "one", "starts with"),
    _op("not_starts_with", "one", "does not start with", positive="starts_with"),
    _op("ends_with", "one", "ends with"),
    _op("not_ends_with", "one", "does not end with", positive="ends_with"),
    _op("matches_word", "one", "contains the word"),
    _op("not_matches_word", "one", "does not contain the word", positive="matches_word"),
)
_CHOICE = (
    _op("eq", "one", "is", more=False),
    _op("neq", "one", "is not", positive="eq", more=False),
    _op("in", "list", "is one of", more=False),
    _op("not_in", "list", "is none of", positive="in", more=False),
)
_TREE = (
    _op("under", "one", "is under", more=False),
    _op("not_under", "one", "is not under", positive="under", more=False),
    _op("eq", "one", "is exactly", more=False),
    _op("neq", "one", "is not exactly", positive="eq"),
    _op("in", "list", "is exactly one of", more=False),
    _op("not_in", "list", "is exactly none of", positive="in"),
)
_MULTI = (
    _op("any_of", "list", "has any of", more=False),
    _op("all_of", "list", "has all of", more=False),
    _op("none_of", "list", "has none of", positive="any_of", more=False),
    _op("only_of", "list", "has only", more=False),
    _op("count", "number_test", "number of values", "number {}"),
)
_NUMBER = (
    _op("gte", "one", "is at least", more=False),
    _op("lte", "one", "is at most", more=False),
    _op("between", "range", "is between", more=False),
    _op("eq", "one", "is", more=False),
    _op("neq", "one", "is not", positive="eq"),
    _op("gt", "one", "is more than"),
    _op("lt", "one", "is less than"),
    _op("not_between", "range", "is not between", positive="between"),
    _op("top_percent", "share", "is in the top %", "is in the top {} %"),
    _op("bottom_percent", "share", "is in the bottom %", "is in the bottom {} %"),
)
_BOOLEAN = (
    _op("is_true", "none", "is true", more=False),
    _op("is_false", "none", "is false", more=False),
)
_DATE = (
    _op("in_last", "duration", "is in the last", more=False),
    _op("not_in_last", "duration", "is not in the last", positive="in_last", more=False),
    _op("before", "one", "is before", more=False),
    _op("after", "one", "is after", more=False),
    _op("on", "one", "is on"),
    _op("not_on", "one", "is not on", positive="on"),
    _op("on_or_before", "one", "is on or before"),
    _op("on_or_after", "one", "is on or after"),
    _op("between", "range", "is between"),
    _op("not_between", "range", "is not between", positive="between"),
    _op("in_next", "duration", "is in the next"),
    _op("not_in_next", "duration", "is not in the next", positive="in_next"),
    _op("more_than_ago", "duration", "is more than … ago", "is more than {} ago"),
    _op("in_period", "period", "is in"),
    _op("not_in_period", "period", "is not in", positive="in_period"),
    _op("anniversary_in_next", "duration", "has its anniversary in the next"),
)
_HISTORY = (
    _op("has_ever_been", "list", "has ever been"),
    _op("has_never_been", "list", "has never been", positive="has_ever_been"),
    _op("has_been", "held", "has been … for at least"),
    _op("changed_in_last", "duration", "changed in the last"),
)


def _table(*groups: tuple[Operator, ...]) -> dict[str, Operator]:
    return {operator.name: operator for group in groups for operator in group}


BY_TYPE: dict[str, dict[str, Operator]] = {
    "text": _table(_TEXT, _PRESENCE),
    "enum": _table(_CHOICE, _PRESENCE),
    "reference": _table(_CHOICE, _PRESENCE),
    "tree": _table(_TREE, _PRESENCE),
    "multi": _table(_MULTI, _PRESENCE),
    "integer": _table(_NUMBER, _PRESENCE),
    "decimal": _table(_NUMBER, _PRESENCE),
    "percent": _table(_NUMBER, _PRESENCE),
    "money": _table(_NUMBER, _PRESENCE),
    "boolean": _table(_BOOLEAN, _PRESENCE),
    "date": _table(_DATE, _PRESENCE),
    "datetime": _table(_DATE, _PRESENCE),
}
HISTORY: dict[str, Operator] = _table(_HISTORY)
SEGMENT: dict[str, Operator] = _table(
    (
        _op("in", "list", "is in", "in {}", more=False),
        _op("not_in", "list", "is not in", "not in {}", positive="in", more=False),
        _op("entered_in_last", "within", "entered"),
        _op("left_in_last", "within", "left"),
        _op("was_in_at", "at", "was in"),
    )
)
# Operators that look at the whole population: not inside related, where or aggregates (RULES §5.8).
RANKING = frozenset({"top_percent", "bottom_percent"})
# The operators of the number test in a multi field's count.
COUNT_TESTS = ("eq", "neq", "gt", "gte", "lt", "lte", "between", "not_between")

NUMBERS = frozenset({"integer", "decimal", "percent", "money"})
MOMENTS = frozenset({"date", "datetime"})


def operators_of(type_name: str, *, history: bool = False, ranking: bool = True) -> dict[str, Operator]:
    """Return the operators of a type by name; with those over history, without those over the population."""
    return dict(_operators_of(type_name, history, ranking))


@cache
def _operators_of(type_name: str, history: bool, ranking: bool) -> dict[str, Operator]:
    found = {n: o for n, o in BY_TYPE[type_name].items() if ranking or n not in RANKING}
    return {**found, **HISTORY} if history else found


# --- related rows ---
MODES: dict[str, str] = {
    "some": "has",
    "none": "has no",
    "all": "has only",
    "at_least": "has at least",
    "at_most": "has at most",
    "exactly": "has exactly",
}
COUNTED_MODES = frozenset({"at_least", "at_most", "exactly"})


# --- aggregates ---
@dataclass(frozen=True)
class Function:
    """A figure over related rows.

    of: the types of the field it takes; empty: it takes none; "group": it takes a group (ratio). result: the type of
    its figure, or "same" as the field's, or "mean" (decimal, money stays money and percent stays percent).
    """

    name: str
    label: str
    of: frozenset[str] = frozenset()
    takes: str = "field"  # field, group, nothing
    result: str = "same"


_SINGLE = frozenset(BY_TYPE) - {"multi"}
FUNCTIONS: dict[str, Function] = {
    f.name: f
    for f in (
        Function("count", "number", takes="nothing", result="integer"),
        Function("count_distinct", "number of different", of=_SINGLE, result="integer"),
        Function("sum", "total", of=NUMBERS),
        Function("avg", "average", of=NUMBERS, result="mean"),
        Function("min", "smallest or earliest", of=NUMBERS | MOMENTS),
        Function("max", "largest or latest", of=NUMBERS | MOMENTS),
        Function("first", "first", of=_SINGLE),
        Function("last", "last", of=_SINGLE),
        Function("days_since_last", "days since the last", takes="nothing", result="integer"),
        Function("ratio", "share", takes="group", result="decimal"),
    )
}


def result_type(function: str, of_type: str = "") -> str:
    """Return the type of a function's figure over a field of this type."""
    result = FUNCTIONS[function].result
    if result == "mean":
        return "decimal" if of_type == "integer" else of_type
    return of_type if result == "same" else result


# --- dates ---
UNITS = ("day", "week", "month", "quarter", "year")
# The most units that make up no more than 36,500 days.
MOST_UNITS = {"day": 36_500, "week": 5_214, "month": 1_200, "quarter": 400, "year": 100}
PERIODS: dict[str, str] = {
    "today": "today",
    "yesterday": "yesterday",
    "this_week": "this week",
    "last_week": "last week",
    "this_month": "this month",
    "last_month": "last month",
    "this_quarter": "this quarter",
    "last_quarter": "last quarter",
    "this_year": "this year",
    "last_year": "last year",
    "this_fiscal_quarter": "this fiscal quarter",
    "last_fiscal_quarter": "last fiscal quarter",
    "this_fiscal_year": "this fiscal year",
    "last_fiscal_year": "last fiscal year",
}
