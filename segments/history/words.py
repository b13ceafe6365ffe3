"""Why a record entered or left, in plain English, for whoever looks."""

from collections.abc import Sequence

from django.db.models import Min

from accounts.queries import accounts_visible_to, contacts_visible_to
from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import registry
from segmentation_crm.common.models import User

from ..choices import OverrideMode, RunCause
from ..models import SegmentOverride, SegmentRun, SegmentVersion
from ..queries import sees_every_record
from .moves import Move

SAID = {
    RunCause.DATA: "data changed",
    RunCause.TIME: "time passed",
    RunCause.REBUILD: "members computed anew",
}
_RECORDS = {"account": accounts_visible_to, "contact": contacts_visible_to}


class CauseWords:
    """The causes of some moves in words: `of(move)`.

    Reads editors of rules and decisions by hand for all the moves at once (up to 3 queries, and those of
    `visibility`). What names other records is not said to those who see a part of the records.
    """

    def __init__(self, moves: Sequence[Move], user: AnyUser, member_type: str) -> None:
        self.member_type = member_type
        self.everything = sees_every_record(user)
        defined = [move for move in moves if move.cause == RunCause.DEFINITION]
        self.editors = self._editors(defined)
        self.firsts = self._first_runs([move for move in defined if move.version == 1])
        self.decisions = self._decisions([move for move in moves if move.cause == RunCause.MANUAL])

    def of(self, move: Move) -> str:
        """Return why the record moved: "Employees 80 → 240", "rule edited by Ann Lee (version 3)"."""
        if move.cause == RunCause.DEFINITION:
            return self._definition(move)
        if move.cause == RunCause.MANUAL:
            return move.words or self._by_hand(move)
        if self.hides(move):
            return f"{registry.field(move.field).label} changed"  # type: ignore[union-attr]
        if move.words:
            return move.words
        field = registry.field(move.field) if move.field else None
        if field is not None and (move.old or move.new):
            return f"{field.label} {move.old or 'unknown'} → {move.new or 'unknown'}"
        return f"{field.label} changed" if field is not None else SAID.get(RunCause(move.cause), "")

    def hides(self, move: Move) -> bool:
        """Tell whether the cause names other records that this viewer may not see."""
        field = registry.field(move.field) if move.field else None
        return not self.everything and field is not None and field.target in _RECORDS

    def _editors(self, moves: Sequence[Move]) -> dict[tuple[int, int], User | None]:
        wanted = {(move.segment_id, move.version) for move in moves}
        if not wanted:
            return {}
        rows = SegmentVersion.objects.filter(
            segment__in={segment for segment, _ in wanted}, number__in={number for _, number in wanted}
        )
        return {
            (row.segment_id, row.number): row.created_by for row in rows.select_related("created_by").defer("rules")
        }

    def _definition(self, move: Move) -> str:
        editor = self.editors.get((move.segment_id, move.version))
        by = f" by {editor.display_name}" if editor is not None else ""
        if move.version > 1:
            return f"rule edited{by} (version {move.version})"
        # Computed once more under the first rule: nobody edited anything.
        return f"segment made{by}" if move.run_id in self.firsts else SAID[RunCause.REBUILD]

    def _first_runs(self, moves: Sequence[Move]) -> set[int]:
        if not moves:
            return set()
        runs = SegmentRun.objects.filter(segment__in={move.segment_id for move in moves}, error="").order_by()
        return {row["first"] for row in runs.values("segment").annotate(first=Min("pk"))}

    def _decisions(self, moves: Sequence[Move]) -> dict[tuple[int, int], SegmentOverride]:
        if not moves:
            return {}
        rows = SegmentOverride.objects.filter(
            segment__in={move.segment_id for move in moves},
            **{f"{self.member_type}__in": {move.key for move in moves}},
        )
        return {(row.segment_id, row.record_id): row for row in rows.select_related("by")}

    def _by_hand(self, move: Move) -> str:
        row = self.decisions.get((move.segment_id, move.key))
        # Only a decision that still stands and says the same tells who and why.
        if row is None or (row.mode == OverrideMode.INCLUDE) != move.entered:
            return "put in by hand" if move.entered else "taken out by hand"
        done = "put in" if move.entered else "kept out"
        by = f" by {row.by.display_name}" if row.by is not None else " by hand"
        return f"{done}{by}: {row.reason}"
