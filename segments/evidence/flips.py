"""The smallest set of edits that flips a rule's verdict on a record.

Candidates come from the worlds of every field that a person may fill in: all conditions of a field are fixed together
and the tree is asked again, first for one field, then two, then three. What is told was tried: the values are written
through the service that undoes changes, inside a savepoint, the whole rule is asked anew, and all is taken back.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction

from accounts.models import IndustryCode, Term
from accounts.services.changes import plain_value, silent
from accounts.services.editable import is_editable
from accounts.services.undoing import restore_values
from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.fields import ValueRows
from segmentation_crm.common.folding import fold
from segmentation_crm.common.models import User

from ..rules.evaluate import clock_at, matching_keys
from ..rules.judging import Judge
from ..rules.nodes import Group, Node, Path, Rule
from ..rules.operators import MOMENTS
from ..rules.unknowns import Unknown, column_of, followed, unknowns_of
from ..rules.worlds import OTHER_ID, OTHER_TEXT, UNKNOWN, values_of
from .reading import VISIBLE, Held, read_fields, way_of
from .words import NOTHING, labels_of, value_words

MOST_FIELDS = 3
MOST_TRIES = 12
MOST_COMBINATIONS = 40_000
TOLD = 3
Truths = dict[Path, bool]


@dataclass(frozen=True)
class Edit:
    """One field to change. written: what the service writes, as the log of changes keeps it."""

    field: str
    label: str
    record: str
    record_id: int
    old: str
    new: str
    name: str
    written: Mapping[str, Any]

    @property
    def anchor(self) -> str:
        """Return the name of the field's control on the edit page."""
        return self.name.replace("custom.", "custom_", 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the edit as the API sends it."""
        return {
            "field": self.field, "label": self.label, "record": self.record, "record_id": self.record_id,
            "from": self.old, "to": self.new,
        }  # fmt: skip


@dataclass(frozen=True)
class Change:
    """A set of edits that flips the verdict; it was tried."""

    edits: tuple[Edit, ...]


@dataclass(frozen=True)
class _Option:
    """One way to change a field: the value, and what its conditions say then."""

    unknown: Unknown
    held: Held
    value: Any
    truths: Truths


class FlipSearch:
    """Searches the edits that flip one rule for one record, as one person may make them."""

    def __init__(self, rule: Rule, key: int, truths: Truths, user: AnyUser) -> None:
        self.rule, self.key, self.truths, self.user = rule, key, truths, user
        self.target = not holds(rule.root, truths)
        self.clock = clock_at(None)
        self.judge = Judge(self.clock)
        editable = [one for one in unknowns_of(rule.root, everything=True) if self._may_edit(one)]
        bands = [one.band for one in editable if one.band is not None]
        self.held = read_fields(rule.member_type, key, [*(one.ref for one in editable), *bands], self.clock)
        self.fields = [one for one in editable if self._target(one) is not None]
        self.labels: dict[str, dict[Any, str]] = {}

    def run(self) -> list[Change]:
        """Return up to 3 sets of edits of the smallest size that was found, none where there is none.

        Costs the worlds of each field, and for each set tried the writes of its edits (up to 12 sets).
        """
        options = [self._options(one) for one in self.fields]
        options = [several for several in options if several]
        tries = 0
        for size in range(1, MOST_FIELDS + 1):
            found: list[Change] = []
            for chosen in self._flipping(options, size):
                if (tries >= MOST_TRIES and size > 1) or len(found) >= TOLD:
                    break
                tries += 1
                change = self._tried(chosen)
                if change is not None:
                    found.append(change)
            if found:
                return found
        return []

    # --- which fields ---
    def _may_edit(self, unknown: Unknown) -> bool:
        name = unknown.field.name
        if name in ("owner", "sdr") and not can(self.user, "records.assign"):
            return False
        return unknown.ref.hops in ((), ("account",)) and is_editable(unknown.field.record, name)

    def _target(self, unknown: Unknown) -> int | None:
        """Return the key of the record that holds the field, None where there is none or the viewer may not see it."""
        record, at = unknown.field.record, self.held[way_of(unknown.ref)].at
        if at is None or record not in VISIBLE:
            return None
        return at if VISIBLE[record](self.user).filter(pk=at).exists() else None

    # --- which values ---
    def _options(self, unknown: Unknown) -> list[_Option]:
        """Return one option for each set of answers that differs from today's, the nearest value of each."""
        held = self.held[way_of(unknown.ref)]
        now = {c.path: self.truths[c.path] for c in unknown.conditions}
        band = self._band(unknown)
        found: dict[tuple[bool, ...], _Option] = {}
        for value in self._values(unknown, held.value):
            answers = [
                self.judge.holds(c, followed(c.ref.field, unknown.field, value, band, self.clock))
                for c in unknown.conditions
            ]
            if any(answer is None for answer in answers):
                continue
            truths = {c.path: bool(a) for c, a in zip(unknown.conditions, answers, strict=True)}
            if truths != now:
                found.setdefault(tuple(truths.values()), _Option(unknown, held, value, truths))
        return list(found.values())

    def _band(self, unknown: Unknown) -> str:
        return (self.held[way_of(unknown.band)].value or "") if unknown.band is not None else ""

    def _values(self, unknown: Unknown, current: Any) -> Iterator[Any]:
        """Yield real values of every class, the nearest to today's first, and at last none."""
        named = {v for c in unknown.conditions if c.value is not None for v in _constants(c.value)}
        values = [v for v in values_of(unknown, self.judge) if v is not UNKNOWN]
        if current is None and unknown.field.type in MOMENTS:
            # Of dates that serve, the one nearest to today.
            named = {self.clock.as_of if unknown.field.type == "datetime" else self.clock.today}
        for value in sorted(values, key=lambda v: _distance(v, current, named)):
            real = self._real(unknown, value)
            if real is not None:
                yield real
        if current is not None and _may_be_empty(unknown):
            yield frozenset() if unknown.field.type == "multi" else None

    def _real(self, unknown: Unknown, value: Any) -> Any:
        """Return a value that a record can hold in place of one that only stands for others; None for none."""
        if unknown.field.type == "multi":
            return self._real_set(unknown, value)
        if value == OTHER_ID and unknown.field.type in ("reference", "tree"):
            return next(iter(self._others(unknown, 1)), None)
        if value == OTHER_TEXT and unknown.field.type == "enum":
            return None
        return value

    def _real_set(self, unknown: Unknown, values: frozenset[Any]) -> frozenset[Any] | None:
        kept = frozenset(v for v in values if not (isinstance(v, int) and v < 0))
        lacking = len(values) - len(kept)
        others = self._others(unknown, lacking) if lacking else []
        return kept | frozenset(others) if len(others) == lacking else None

    def _others(self, unknown: Unknown, number: int) -> list[int]:
        """Return keys that no condition of the field names (1 query)."""
        named: set[int] = set()
        for condition in unknown.conditions:
            if condition.value is not None:
                ids = tuple(v for v in _constants(condition.value) if isinstance(v, int))
                below = condition.operator in ("under", "not_under")
                named |= self.judge.below(unknown.field.target, ids) if below else set(ids)
        rows = self._targets(unknown)
        return (
            []
            if rows is None
            else list(rows.exclude(pk__in=named).order_by("pk").values_list("pk", flat=True)[:number])
        )

    def _targets(self, unknown: Unknown) -> Any:
        kind, _, part = unknown.field.target.partition(":")
        if kind == "term":
            return Term.objects.filter(vocabulary=part)
        if kind == "code":
            return IndustryCode.objects.filter(system=part)
        if kind in VISIBLE:
            return VISIBLE[kind](self.user).exclude(pk=self.held[way_of(unknown.ref)].at)
        if kind == "user":
            return User.objects.filter(is_active=True).exclude(role="integration")
        column = column_of(unknown.field)
        related: Any = column.related_model if column is not None else None
        return related._default_manager.all() if related is not None else None

    # --- which sets ---
    def _flipping(self, options: Sequence[Sequence[_Option]], size: int) -> Iterator[tuple[_Option, ...]]:
        """Yield the sets of so many fields whose edit turns the tree, missing fields first."""
        ordered = sorted(options, key=lambda several: (several[0].held.value is not None, several[0].held.ref.hops))
        asked = 0
        for fields in combinations(ordered, size):
            for chosen in product(*fields):
                asked += 1
                if size > 1 and asked > MOST_COMBINATIONS:
                    return
                truths = dict(self.truths)
                for option in chosen:
                    truths |= option.truths
                if holds(self.rule.root, truths) == self.target:
                    yield chosen

    # --- trying ---
    def _tried(self, chosen: Sequence[_Option]) -> Change | None:
        """Return the change where the edits can be made and flip the rule; everything is taken back."""
        edits = tuple(self._edit(option) for option in chosen)
        try:
            with transaction.atomic():
                self._write(edits)
                flipped = (self.key in matching_keys(self.rule, [self.key])) == self.target
                transaction.set_rollback(True)
        except (ValidationError, DatabaseError, ValueError, TypeError, OverflowError):
            return None
        return Change(edits) if flipped else None

    def _write(self, edits: Sequence[Edit]) -> None:
        for edit in edits:
            record = VISIBLE[edit.record](self.user).get(pk=edit.record_id)
            with silent():
                restore_values(record, dict(edit.written))

    def _names(self, option: _Option) -> bool:
        """Tell whether a condition names the value, or a node above it."""
        for condition in option.unknown.conditions:
            if condition.value is None or condition.ref.field.key != option.unknown.field.key:
                continue
            named = _constants(condition.value)
            below = condition.operator in ("under", "not_under")
            if option.value in (self.judge.below(option.unknown.field.target, named) if below else named):
                return True
        return False

    def _edit(self, option: _Option) -> Edit:
        unknown, held = option.unknown, option.held
        definition, name = unknown.field, unknown.field.name
        written: dict[str, Any] = {name: _logged(option.value, unknown)}
        if definition.type == "money" and not name.startswith("custom."):
            written[f"{name}_currency"] = ""
        labels = labels_of([(definition, option.value), (definition, held.value)], self.user).get(definition.target, {})
        new = value_words(definition, option.value, labels)
        old = value_words(definition, held.shown, labels)
        if definition.type == "text" and option.value is not None and OTHER_TEXT in option.value:
            new = "another text"
        if definition.type in ("enum", "reference", "tree") and option.value is not None and not self._names(option):
            new = f"another, such as {new}"
        where = "" if not unknown.ref.hops else "Account: "
        assert held.at is not None
        return Edit(
            unknown.key, f"{where}{definition.label}", definition.record, held.at, old,
            new if new != NOTHING else "emptied", name, written,
        )  # fmt: skip


def apply_edits(change: Change, user: AnyUser) -> None:
    """Write the edits of a change through the service, as a person would; call in a transaction.

    Raises ValidationError where a value cannot be taken.
    """
    for edit in change.edits:
        restore_values(VISIBLE[edit.record](user).get(pk=edit.record_id), dict(edit.written))


def holds(node: Node, truths: Mapping[Path, bool]) -> bool:
    """Tell whether a tree holds where its atoms answer so (0 queries)."""
    if not isinstance(node, Group):
        return truths[node.path]
    parts = (holds(rule, truths) for rule in node.rules)
    return (all(parts) if node.combinator == "and" else any(parts)) != node.negated


def atoms_of(node: Node) -> Iterator[Node]:
    """Yield the nodes at which the tree's groups end, in order."""
    if isinstance(node, Group):
        for rule in node.rules:
            yield from atoms_of(rule)
    else:
        yield node


def _constants(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, list | tuple | set | frozenset) else (value,)


def _may_be_empty(unknown: Unknown) -> bool:
    column = column_of(unknown.field)
    return True if column is None else bool(column.blank) and column.name != "account_type"


def _distance(value: Any, current: Any, named: set[Any]) -> tuple[Any, ...]:
    """Order values: real ones before stand-ins, then by how little they change."""
    if isinstance(value, frozenset):
        held = current if isinstance(current, frozenset) else frozenset()
        return (sum(isinstance(v, int) and v < 0 for v in value), len(value ^ held), sorted(map(str, value)))
    if isinstance(value, str):
        return (OTHER_TEXT in value, len(value), value)
    if isinstance(value, bool) or value == OTHER_ID:
        return (1, 0, 0)
    try:
        near = abs(value - current) if current is not None else min((abs(value - n) for n in named), default=0)
    except TypeError:
        near = 0
    return (0, near, 0)


def _logged(value: Any, unknown: Unknown) -> Any:
    """Return a value as the log of changes keeps it; a text as the rule writes it, not folded."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, str) and unknown.field.type == "text":
        texts = [one for c in unknown.conditions for one in _constants(c.value) if isinstance(one, str)]
        return next((text for text in texts if fold(text) == value), value)
    if isinstance(unknown.field.source, ValueRows) and value is None:
        return []
    return plain_value(value)


__all__ = ["Change", "Edit", "FlipSearch", "apply_edits", "atoms_of", "holds"]
