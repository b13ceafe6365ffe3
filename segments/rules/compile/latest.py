"""The latest of an owner's rows, compared without grouping: whether rows exist on either side of the bounds.

`MAX(moment) >= x` holds where a row at x or later exists; that reads the window alone, by an index, where the figure
reads all rows of every owner.
"""

from collections.abc import Callable

from django.db.models import F, Q
from django.db.models.lookups import GreaterThanOrEqual, IsNull

from ..clock import Clock, Moments
from .verdicts import All, Not, Rows, Verdict


def latest_within(rows: Callable[[Q], Rows], column: str, wanted: Moments, clock: Clock) -> Verdict:
    """Return the verdict that an owner's latest row lies in the bounds.

    rows: makes the verdict that a row meeting a test exists; all its rows lie before as_of. column: the rows' moment.
    """
    moment = F(column)
    some = rows(Q(IsNull(moment, False)) if wanted.start is None else Q(GreaterThanOrEqual(moment, wanted.start)))
    # Rendered queries are kept for a day (`rules/rendered.py`): what is left out must be so at all of its moments.
    tomorrow = clock.end_of(clock.today)
    if wanted.end is None or wanted.end == clock.as_of or (tomorrow is not None and wanted.end >= tomorrow):
        return some
    return All((some, Not(rows(Q(GreaterThanOrEqual(moment, wanted.end))))))
