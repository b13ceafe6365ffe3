"""How time wakes every field × operator (DESIGN §5): never, sliver or daily.

never: as time passes over the same data the verdict stays. sliver: a query names a superset of the records whose
verdict may differ between two moments. daily: nothing differs within one local day; where the day has changed, the
condition is computed for both moments and compared. What is not declared here raises, and fails the test that walks
the registry: a new field, computation or operator must say how time wakes it.
"""

from segmentation_crm.common.fields import Computed, FieldDef

NEVER, SLIVER, DAILY = "never", "sliver", "daily"

# Operators whose operand may move with the clock, on dates and on datetimes. `between` and its kin move where an
# operand is "today", ago or ahead.
_MOVING = dict.fromkeys(
    (
        "on",
        "not_on",
        "before",
        "after",
        "on_or_before",
        "on_or_after",
        "between",
        "not_between",
        "in_last",
        "not_in_last",
        "in_next",
        "not_in_next",
        "more_than_ago",
    ),
    SLIVER,
)
_DATES = {
    **_MOVING,
    "in_period": DAILY,
    "not_in_period": DAILY,
    "anniversary_in_next": DAILY,
    "is_empty": NEVER,
    "is_set": NEVER,
}
_STILL = dict.fromkeys(
    (
        *("eq", "neq", "in", "not_in", "is_empty", "is_set"),
        *("contains", "not_contains", "starts_with", "not_starts_with", "ends_with", "not_ends_with"),
        *("matches_word", "not_matches_word", "under", "not_under"),
        *("any_of", "all_of", "none_of", "only_of", "count"),
        *("gt", "gte", "lt", "lte", "between", "not_between", "top_percent", "bottom_percent"),
        *("is_true", "is_false"),
    ),
    NEVER,
)
OPERATORS: dict[str, dict[str, str]] = {
    **dict.fromkeys(
        ("text", "enum", "reference", "tree", "multi", "integer", "decimal", "percent", "money", "boolean"), _STILL
    ),
    "date": _DATES,
    "datetime": _DATES,
}
# A value begins and ends at moments: rows of history that begin or end between two moments, or where the window begins.
HISTORY = dict.fromkeys(("has_ever_been", "has_never_been", "has_been", "changed_in_last"), SLIVER)

# Whether the value itself of a computed field differs as time passes.
COMPUTATIONS: dict[str, str] = {
    "years_since": DAILY,
    "provenance_age": DAILY,
    "last_engaged_at": SLIVER,
    "engaged_within": SLIVER,
    "is_engagement": NEVER,
    "via": NEVER,
    "role_groups": NEVER,
    "count_values": NEVER,
    "consent_values": NEVER,
    "external_ids": NEVER,
    "through_values": NEVER,
    "provenance": NEVER,
}

# Figures over related rows. What a figure is made of moves as its field does; a row comes into existence at its event
# time. days_since_last moves with the local day besides.
FUNCTIONS: dict[str, str] = {
    **dict.fromkeys(("count", "count_distinct", "sum", "avg", "min", "max", "first", "last", "ratio"), NEVER),
    "days_since_last": DAILY,
}
# Membership of other segments: those move by refreshes of their own, and touch who reads them. Over the history of
# runs: a window moves (sliver); a fixed moment that has passed stays.
SEGMENTS: dict[str, str] = {
    "in": NEVER,
    "not_in": NEVER,
    "entered_in_last": SLIVER,
    "left_in_last": SLIVER,
    "was_in_at": SLIVER,
}


class Undeclared(LookupError):
    """A field or operator that does not say how time wakes it."""


def value_wakes(field: FieldDef) -> str:
    """Return how time wakes the field's value itself, whatever it is compared with.

    Raises Undeclared for a computation that is not declared, or declared otherwise than its field says.
    """
    if not isinstance(field.source, Computed):
        declared = NEVER
    elif field.source.name in COMPUTATIONS:
        declared = COMPUTATIONS[field.source.name]
    else:
        raise Undeclared(f"{field.key}: say in segments.wakes how time wakes the computation {field.source.name}.")
    if field.wakes != declared:
        raise Undeclared(f"{field.key} says that time wakes it {field.wakes}, segments.wakes says {declared}.")
    return declared


def wakes(field: FieldDef, operator: str) -> str:
    """Return how time wakes a field × operator: the stronger of the value's way and the operator's.

    Raises Undeclared where either does not say.
    """
    value = value_wakes(field)
    table = HISTORY if operator in HISTORY else OPERATORS.get(field.type, {})
    if operator not in table:
        raise Undeclared(f"{field.key} {operator}: say in segments.wakes how time wakes the operator.")
    ways = (value, table[operator])
    return SLIVER if SLIVER in ways else DAILY if DAILY in ways else NEVER
