"""Why a record was in a segment at a past moment: the verdict, the rule of then, the run and what changed with it.

Members at a moment come from the runs. What a node read is told where it was recorded (the history of fields, the log
of changes), else it says so: nothing is computed from today's data and called yesterday's.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from accounts.models import FieldHistory, RecordChange
from accounts.services.changes import MODELS, logged_fields
from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import Column, FieldDef, ValueRows
from segmentation_crm.common.folding import fold

from ..history import begins_at, members_at
from ..history.moves import Move, last_moves
from ..history.words import CauseWords
from ..models import Segment, SegmentRun, SegmentVersion
from ..rules.clock import Clock
from ..rules.describe import label
from ..rules.judging import Judge
from ..rules.nodes import Condition, Group, InvalidRule, Node
from ..rules.operators import HISTORY, NUMBERS, RANKING
from ..rules.validate import validate
from ..sentences import hide_records, sentence_for
from .tree import FALSE, KINDS, NOT_RECORDED, TRUE, NodeEvidence, group_words
from .words import labels_of, value_words

NO_HISTORY = "not recorded"


@dataclass(frozen=True)
class PastExplanation:
    """Where a record stood at a moment. was_in: None before the segment's first run, when nothing is known.

    move: the record's last entry or exit up to then, by which run and what changed with it; words: why, in English.
    version: the rule in force, by the last run up to then; tree: its nodes, with what was recorded.
    """

    segment: Segment
    key: int
    name: str
    at: dt.datetime
    was_in: bool | None
    begins: dt.datetime | None
    move: Move | None
    words: str
    version: int | None
    sentence: str
    tree: NodeEvidence | None


def explain_at(segment: Segment, record: Any, at: dt.datetime, user: AnyUser) -> PastExplanation:
    """Return where the record stood at a past moment, and why as far as it was recorded.

    Costs 2 queries for the members, up to 6 for the last move and 2 for each field read. The caller has checked that
    the user sees the record.
    """
    members = members_at(segment, at)
    was_in = None if members is None else record.pk in members
    move = _last_move(segment, record.pk, at)
    words = CauseWords([move], user, segment.member_type).of(move) if move else ""
    last = SegmentRun.objects.filter(segment=segment, error="", as_of__lte=at).order_by("-pk").first()
    version = SegmentVersion.objects.filter(segment=segment, number=last.version).first() if last else None
    tree, sentence = None, ""
    if version is not None:
        sentence = sentence_for(version, user)
        try:
            rule = validate(version.rules, segment.member_type, segment_id=segment.pk)
        except InvalidRule:
            rule = None
        if rule is not None:
            tree = _Past(record, segment.member_type, at, user).node(hide_records(rule, user).root)
    return PastExplanation(
        segment, record.pk, str(record), at, was_in, begins_at(segment), move, words,
        last.version if last else None, sentence, tree,
    )  # fmt: skip


def _last_move(segment: Segment, key: int, at: dt.datetime) -> Move | None:
    """Return the record's last entry or exit up to the moment (2 to 4 queries)."""
    sides = [last_moves(segment, [key], since=None, until=at, entered=entered).get(key) for entered in (True, False)]
    return max((move for move in sides if move is not None), key=lambda move: move.run_id, default=None)


class _Past:
    """Reads what was recorded of one record at one moment."""

    def __init__(self, record: Any, member_type: str, at: dt.datetime, user: AnyUser) -> None:
        self.record, self.member_type, self.at, self.user = record, member_type, at, user
        self.judge = Judge(Clock.at(at))
        self.logged = {field.name for field in logged_fields(MODELS[member_type])}

    def node(self, node: Node) -> NodeEvidence:
        """Return a node as recorded; a group from its parts, by Kleene's logic."""
        if isinstance(node, Group):
            parts = tuple(self.node(rule) for rule in node.rules)
            verdict = _joined(node, [part.holds for part in parts])
            return self._evidence(node, group_words(node), verdict, None, parts)
        key = "segment" if not hasattr(node, "ref") else node.ref.key
        if not isinstance(node, Condition) or node.operator in RANKING or node.ref.hops:
            return self._evidence(node, label(node, self.member_type), None, NO_HISTORY, field=key)
        known, value = self._value(node.ref.field)
        if not known:
            return self._evidence(node, label(node, self.member_type), None, NO_HISTORY, field=key)
        definition = node.ref.field
        words = value_words(definition, value, labels_of([(definition, value)], self.user).get(definition.target, {}))
        compared = fold(value) if definition.type == "text" and value else value
        judged = node.operator not in HISTORY and definition.type != "money"
        verdict = self.judge.holds(node, compared) if judged else None
        return self._evidence(node, label(node, self.member_type), verdict, words, field=key)

    def _evidence(
        self,
        node: Node,
        words: str,
        verdict: bool | None,
        value: str | None,
        parts: tuple[NodeEvidence, ...] = (),
        field: str = "",
    ) -> NodeEvidence:
        state = NOT_RECORDED if verdict is None else TRUE if verdict else FALSE
        return NodeEvidence(node.path, KINDS[type(node)], words, verdict, state, field, value, nodes=parts)

    def _value(self, definition: FieldDef) -> tuple[bool, Any]:
        """Return whether the value at the moment is on record, and the value (1 or 2 queries)."""
        if definition.history and definition.type != "reference":
            rows = FieldHistory.objects.filter(
                record_type=definition.record, record_id=self.record.pk, field=definition.history,
                valid_from__lte=self.at,
            )  # fmt: skip
            row = rows.order_by("-valid_from", "-pk").first()
            if row is not None:
                return True, row.value if row.valid_to is None or row.valid_to > self.at else None
        if not isinstance(definition.source, Column | ValueRows) or definition.name not in self._names(definition):
            return False, None
        return self._from_log(definition)

    def _names(self, definition: FieldDef) -> set[str]:
        return {definition.name} if isinstance(definition.source, ValueRows) else self.logged

    def _from_log(self, definition: FieldDef) -> tuple[bool, Any]:
        """Return the value by the log: what the next change found, else what the last change left."""
        rows = RecordChange.objects.filter(record_type=definition.record, record_id=self.record.pk)
        for change in _naming(rows.filter(at__gt=self.at).order_by("at", "pk"), definition.name):
            return _typed(definition, change["old"])
        for change in _naming(rows.filter(at__lte=self.at).order_by("-at", "-pk"), definition.name):
            return _typed(definition, change["new"])
        return False, None


def _naming(rows: Any, name: str) -> Iterator[dict[str, Any]]:
    for changes in rows.values_list("changes", flat=True).iterator(chunk_size=200):
        yield from (one for one in changes if one.get("field") == name)


def _typed(definition: FieldDef, value: Any) -> tuple[bool, Any]:
    """Return a value of the log as rules compare it; not known where it cannot be read."""
    if value is None or value == "" or value == []:
        return True, None
    try:
        if definition.type == "multi":
            return True, frozenset(value)
        if definition.type in NUMBERS:
            return True, Decimal(str(value))
        if definition.type == "date":
            return True, dt.date.fromisoformat(str(value)[:10])
        if definition.type == "datetime":
            return True, dt.datetime.fromisoformat(str(value))
    except (ValueError, TypeError, InvalidOperation):
        return False, None
    return True, value


def _joined(node: Group, parts: list[bool | None]) -> bool | None:
    decisive = node.combinator == "or"
    if decisive in parts:
        found: bool | None = decisive
    else:
        found = None if None in parts else not decisive
    return found if found is None or not node.negated else not found


__all__ = ["NO_HISTORY", "PastExplanation", "explain_at"]
