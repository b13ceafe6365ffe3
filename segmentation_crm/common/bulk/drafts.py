"""Choosing the records of a bulk act: those ticked, or all that a list shows; frozen as a bitmap of keys."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict
from pyroaring import BitMap

from .. import lists
from ..models import BulkAct, User
from .actions import ListAction

# Greater keys fit no bitmap; no sequence comes near.
MAX_KEY = 2**32 - 1


class NothingChosen(Exception):
    """No record is chosen that the user may see; the message says why, for people."""


def keys_of(
    record: str,
    user: User,
    *,
    ids: Iterable[int] = (),
    everything: bool = False,
    params: QueryDict | Mapping[str, Any] | None = None,
) -> BitMap:
    """Return the keys of the chosen records: of `ids` those the user sees, or all rows that `params` show.

    One query that reads keys only, for each 20,000 ids. Raises NothingChosen, or lists.UnknownList.
    """
    definition = lists.get(record)
    keys = BitMap()
    if everything:
        resolved = lists.resolve(definition, user, params or {})
        if resolved.errors:
            raise NothingChosen(" ".join(resolved.errors))
        rows = resolved.queryset.order_by().values_list("pk", flat=True)
        keys.update(rows.iterator(chunk_size=20_000))
    else:
        wanted = sorted({pk for pk in ids if 0 < pk <= MAX_KEY})
        visible = definition.base(user).order_by().values_list("pk", flat=True)
        for start in range(0, len(wanted), 20_000):
            keys.update(visible.filter(pk__in=wanted[start : start + 20_000]))
    if not keys:
        raise NothingChosen(f"No {definition.unit} is chosen. Tick some, or choose all of the list.")
    return keys


def draft(user: User, action: ListAction, record: str, keys: BitMap, list_url: str = "") -> BulkAct:
    """Keep the choice until the act is started or swept after a day (1 query)."""
    return BulkAct.objects.create(
        user=user,
        record=record,
        action=action.key,
        title=action.label,
        keys=keys.serialize(),
        total=len(keys),
        list_url=list_url[:2000],
    )
