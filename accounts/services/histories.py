"""Writing the history of fields from dated values, in place of what the triggers reconstructed."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction

from segmentation_crm.common.bulk_insert import bulk_insert

from ..models import FieldHistory

Way = Sequence[tuple[str, dt.datetime]]


@transaction.atomic
def replace_histories(record_type: str, field: str, ways: Iterable[tuple[int, Way]], source: str) -> int:
    """Give records the whole history of one field; what was kept of it goes (1 query for 500 records, 2 more).

    ways: (id, values with the moment each began, oldest first; the last one still holds). The last value must be the
    record's own. Returns how many rows were written. Raises ValueError for moments out of order.
    """
    rows, ids = [], []
    for record_id, way in ways:
        if not way:
            continue
        ids.append(record_id)
        ends_of: list[dt.datetime | None] = [moment for _, moment in way[1:]]
        for (value, begins), ends in zip(way, [*ends_of, None], strict=True):
            if ends is not None and ends <= begins:
                raise ValueError(f"{field} of {record_type} {record_id}: {value} must end after it began.")
            rows.append(
                FieldHistory(
                    record_type=record_type, record_id=record_id, field=field, value=value, valid_from=begins,
                    valid_to=ends, source=source,
                )
            )  # fmt: skip
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        FieldHistory.objects.filter(record_type=record_type, field=field, record_id__in=part).delete()
    bulk_insert(rows)
    return len(rows)


def replace_all_histories(ways: Iterable[tuple[str, str, int, Way]], source: str) -> int:
    """Do so for several record types and fields: (record type, field, id, way). Returns how many rows were written."""
    grouped: dict[tuple[str, str], list[tuple[int, Way]]] = defaultdict(list)
    for record_type, field, record_id, way in ways:
        grouped[record_type, field].append((record_id, way))
    return sum(replace_histories(*kind, found, source) for kind, found in grouped.items())
