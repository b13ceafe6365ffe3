"""Rendered queries over given keys, kept in the process: rendering costs Django more than the database's answer.

Within one local day the SQL of a test differs in nothing but the moment itself and the keys. Both are rendered as
marks, once a day, and put in at each asking.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet
from pyroaring import BitMap

from segmentation_crm.common.among import keys_text

from .bitmaps import read_sql
from .clock import Clock
from .evaluate import restricted

# A key that no record has.
MARKED_KEY = -1_987_654_321
# Seconds and microseconds of the moment that stands for as_of: the same minute, so the same local day.
MARKED_SECOND, MARKED_MICROSECOND = 47, 918_273
KEPT = 4_000


@dataclass(frozen=True)
class Rendered:
    """A query with marks: `sql` None where nobody can match; where in `params` as_of and the keys stand."""

    sql: str | None
    params: tuple[Any, ...] = ()
    moments: frozenset[int] = frozenset()
    keys: frozenset[int] = frozenset()


_kept: "OrderedDict[Hashable, Rendered]" = OrderedDict()
_guard = threading.Lock()


def ask(name: Hashable, build: Callable[[Clock], QuerySet[Any]], clock: Clock, keys: BitMap) -> BitMap:
    """Return those of the keys that are in the records of `build(clock)` (1 query).

    name: what the query is kept under; of equal names it must be the same at every moment of a day. build must not
    read the database, nor anything else that changes while the process lives.
    """
    today = clock.today
    if clock.start_of(today) == clock.as_of:
        # At midnight itself a date of that day does not exist yet.
        found = _rendered(build, clock)
    else:
        key = (connection.vendor, name, today, str(clock.zone), clock.fiscal_month, clock.size_limits)
        with _guard:
            known = _kept.get(key)
            if known is not None:
                _kept.move_to_end(key)
        found = known or _rendered(build, clock)
        if known is None:
            with _guard:
                _kept[key] = found
                while len(_kept) > KEPT:
                    _kept.popitem(last=False)
    if found.sql is None:
        return BitMap()
    moment, sent = _moment(clock), keys_text(keys, connection.vendor)
    params = [
        moment if at in found.moments else sent if at in found.keys else value for at, value in enumerate(found.params)
    ]
    return read_sql(found.sql, params)


def _rendered(build: Callable[[Clock], QuerySet[Any]], clock: Clock) -> Rendered:
    at_midnight = clock.start_of(clock.today) == clock.as_of
    marked = (
        clock
        if at_midnight
        else replace(clock, as_of=clock.as_of.replace(second=MARKED_SECOND, microsecond=MARKED_MICROSECOND))
    )
    rows = restricted(build(marked), [MARKED_KEY]).values("pk")
    try:
        sql, params = rows.query.get_compiler(connection=connection).as_sql()
    except EmptyResultSet:
        return Rendered(None)
    moment, keys = _moment(marked), keys_text([MARKED_KEY], connection.vendor)
    return Rendered(
        sql,
        tuple(params),
        frozenset(at for at, value in enumerate(params) if type(value) is type(moment) and value == moment),
        frozenset(at for at, value in enumerate(params) if type(value) is type(keys) and value == keys),
    )


def _moment(clock: Clock) -> Any:
    """Return as_of as a parameter of this database."""
    return connection.ops.adapt_datetimefield_value(clock.as_of)
