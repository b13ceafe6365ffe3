"""Counting the rows of a list when somebody asks for it: exact, in limited time, never for a page of its own."""

from dataclasses import dataclass

from ..rule_engine import RuleTakesTooLong, engine
from .resolve import Resolved

SECONDS = 3.0


@dataclass(frozen=True)
class Counted:
    """How many rows there are; None where there was not enough time, with `errors` where there is no list."""

    rows: int | None = None
    errors: tuple[str, ...] = ()
    seconds: float = SECONDS


def count_rows(resolved: Resolved, seconds: float = SECONDS) -> Counted:
    """Count the rows exactly (1 query, stopped by the database after so many seconds)."""
    if resolved.errors:
        return Counted(errors=tuple(resolved.errors))
    try:
        with engine().limited(seconds):
            return Counted(resolved.queryset.order_by().count())
    except RuleTakesTooLong:
        return Counted(seconds=seconds)
