"""The history of opportunities' stages from files; it replaces what was reconstructed."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ...models import FieldHistory, Stage
from ..drafts import Draft
from ..resolvers import StageTarget
from ..targets import Moment, Target
from .base import ImportType
from .links import opportunity_link


class StageHistory(ImportType):
    """When an opportunity entered which stage; by opportunity, stage and moment."""

    key, label, model, record_type = "stage_history", "Stage history", FieldHistory, "opportunity"
    keys = (("opportunity", "stage", "valid_from"),)
    required = ("opportunity_id", "stage_id", "valid_from")
    has_external_ids = False

    def declare(self) -> Iterable[Target]:
        yield opportunity_link()
        yield StageTarget("stage", "Stage", aliases=("deal_stage", "stage_name", "value", "new_value", "to_stage"))
        yield Moment("valid_from", "From", aliases=("from", "entered_at", "date", "changed_at", "created_date"))
        yield Moment("valid_to", "To", aliases=("to", "left_at", "until"))

    def write(self, drafts: Sequence[Draft], source: str) -> None:
        """Write the rows of a batch and chain each opportunity's history anew (6 queries)."""
        ids = {draft.columns["opportunity_id"] for draft in drafts}
        mine = FieldHistory.objects.filter(record_type="opportunity", field="stage", record_id__in=ids)
        mine.filter(is_reconstructed=True).delete()
        known = {(h.record_id, h.value, h.valid_from): h for h in mine}
        slugs = dict(Stage.objects.values_list("pk", "slug"))
        new: dict[tuple[int, str, datetime], FieldHistory] = {}
        for draft in drafts:
            columns = draft.columns
            key = (columns["opportunity_id"], slugs[columns["stage_id"]], columns["valid_from"])
            if key in known or key in new:
                draft.outcome = "unchanged"
                continue
            draft.outcome = "created"
            end = columns.get("valid_to") or columns["valid_from"]
            new[key] = FieldHistory(
                record_type="opportunity", record_id=key[0], field="stage", value=key[1], valid_from=key[2],
                valid_to=max(end, key[2]), source=source,
            )  # fmt: skip
        FieldHistory.objects.bulk_create(new.values())
        if new:
            _chain(FieldHistory.objects.filter(record_type="opportunity", field="stage", record_id__in=ids))


def _chain(rows: Any) -> None:
    """Let each row last until the next one begins; the last one stays open."""
    by_record: dict[int, list[FieldHistory]] = defaultdict(list)
    for row in rows.order_by("record_id", "valid_from", "id"):
        by_record[row.record_id].append(row)
    closed, last = [], []
    for chain in by_record.values():
        for row, following in pairwise(chain):
            if row.valid_to != following.valid_from:
                row.valid_to = following.valid_from
                closed.append(row)
        if chain[-1].valid_to is not None:
            chain[-1].valid_to = None
            last.append(chain[-1])
    FieldHistory.objects.bulk_update(closed, ["valid_to"])
    FieldHistory.objects.bulk_update(last, ["valid_to"])
