"""What an app adds to search: one kind of record, found by text or by key among what a user may see."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from .access import AnyUser
from .folding import fold

# {"kind", "label", "sub", "url", "icon"} and "shape" where initials stand before the name: person or company.
Hit = dict[str, Any]


@dataclass(frozen=True)
class RecordFinder:
    """One kind of record: `by_text(user, text, limit)` and `by_key(user, keys)`, only what the user may see."""

    kind: str
    heading: str
    by_text: Callable[[AnyUser, str, int], list[Hit]]
    by_key: Callable[[AnyUser, Iterable[int]], dict[int, Hit]]


def first_matches(rows: QuerySet, columns: Iterable[str], text: str, limit: int) -> list[Any]:
    """Return records of which a folded column begins with the text, then those that hold it (1 or 2 queries).

    No order is asked of the database beyond the first column of those that begin with it: the first hits will do,
    and a table of millions is not sorted to show five.
    """
    folded = fold(text)
    if not folded:
        return []
    names = list(columns)
    begin, hold = Q(), Q()
    for name in names:
        begin |= Q(**{f"{name}__startswith": folded})
        hold |= Q(**{f"{name}__contains": folded})
    found = list(rows.filter(begin).order_by()[: limit * 4])
    if len(found) < limit:
        more = rows.filter(hold).exclude(pk__in=[row.pk for row in found]).order_by()
        found += list(more[: limit * 4])
    found.sort(key=lambda row: (not getattr(row, names[0]).startswith(folded), getattr(row, names[0]), row.pk))
    return found[:limit]
