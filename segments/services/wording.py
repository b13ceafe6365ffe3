"""Why a record came or went, in plain English: the value that changed, or what time did."""

from collections import defaultdict

from pyroaring import BitMap

from accounts.capture import Change, Taken
from accounts.choices import ActivityType
from accounts.models import AccountCustomValue, AccountValue, Activity
from segmentation_crm.common.fields import FieldDef, registry

from ..choices import RunCause
from ..models import Segment
from ..rules.clock import Clock
from .plans import Plan
from .storing import KEPT_CAUSES, Words
from .waking import Slivers

# Counting "the 3rd" costs a query for each; beyond so many records of a run the plain word must do.
COUNTED = 50


class Wording:
    """Words for the moves of one refresh; what was taken is sorted by owner once."""

    def __init__(self, taken: Taken, clock: Clock) -> None:
        self.clock = clock
        self.by_owner: dict[tuple[str, int], list[Change]] = defaultdict(list)
        tables = {table: record for record, table in taken.records.items()}
        for change in taken.changes:
            owners = dict(change.owners)
            if change.table in tables:
                owners.setdefault(tables[change.table], change.key)
            for record, key in owners.items():
                self.by_owner[record, key].append(change)

    def words_for(
        self, segment: Segment, plan: Plan, cause: str, came: BitMap, went: BitMap, slivers: Slivers | None
    ) -> dict[int, Words]:
        """Return words by record, where something is known to say (up to 5,000 records)."""
        moved = (came | went)[:KEPT_CAUSES]
        if cause == RunCause.TIME:
            return time_words(plan, moved, self.clock, slivers, segment)
        wanted = {key: place for place, key in reversed(list(enumerate(plan.reading.keys)))}
        found: dict[int, Words] = {}
        for key in moved:
            changes = self.by_owner.get((segment.member_type, key), ())
            best = min(changes, key=lambda change: self._rank(change, wanted), default=None)
            if best is not None:
                found[key] = self._said(best, segment.member_type, key, counted=len(found) < COUNTED)
        return found

    def _rank(self, change: Change, wanted: dict[str, int]) -> tuple[int, float]:
        """Return how well a change explains: a field that the rule names before others, the latest first."""
        key = field_key(change)
        return (wanted.get(key, len(wanted)), -change.at.timestamp())

    def _said(self, change: Change, member_type: str, key: int, counted: bool) -> Words:
        if change.table == Activity._meta.db_table and change.event == "I":
            return self._activity(change, member_type, key, counted)
        key_of_field = field_key(change)
        definition = registry.field(key_of_field)
        label = definition.label if definition else _plain(change)
        old, new = shown(definition, change.old), shown(definition, change.new)
        return Words(key_of_field if definition else "", change.old, change.new, f"{label} {old} → {new}")

    def _activity(self, change: Change, member_type: str, key: int, counted: bool) -> Words:
        """Say which kind of activity happened, and the how manieth of its kind."""
        kind = change.new or ""
        label = dict(ActivityType.choices).get(kind, "Activity") or "Activity"
        words = str(label)
        if counted and kind:
            rows = Activity.objects.filter(**{f"{member_type}_id": key, "type": kind})
            number = rows.filter(occurred_at__lt=self.clock.as_of).count()
            words = f"{ordinal(number)} “{label}”" if number > 1 else f"First “{label}”"
        return Words("activity.type", "", kind, words)


def time_words(plan: Plan, moved: object, clock: Clock, slivers: Slivers | None, segment: Segment) -> dict[int, Words]:
    """Return for each record the condition that time turned, in the words of the rule's sentence."""
    from accounts.capture import Taken as Nothing
    from accounts.capture import climb

    from ..rules.describe import label

    found: dict[int, Words] = {}
    if slivers is None or plan.rule is None:
        return found
    left = BitMap(moved)  # type: ignore[arg-type]
    named = slivers.of(segment, plan.reading)
    for waking in plan.reading.wakings:
        if not left or not named.get(waking.name):
            continue
        keys = climb(plan.reading.reads, Nothing(), {waking.name: named[waking.name]}) & left
        if keys:
            said = Words(words=f"Time passed: {label(waking.top, segment.member_type)}")
            found.update(dict.fromkeys(keys, said))
            left -= keys
    return found


def field_key(change: Change) -> str:
    """Return the registry's key of the column that changed, "" where it has none."""
    prefix = next((p for p, r in registry.records.items() if _table(p) == change.table), "")
    if not prefix:
        prefix = "account" if change.table in _ACCOUNT_ROWS else next(iter(change.owners), "")
    if change.field.startswith("custom:"):
        return next(
            (f.key for f in registry.custom_fields() if f.key.startswith(f"{prefix}.") and _defines(f, change.field)),
            "",
        )
    name = change.field.removesuffix("_reporting").removesuffix("_folded")
    for candidate in (f"{prefix}.{name}", f"{prefix}.{name.removesuffix('_id')}"):
        if registry.field(candidate) is not None:
            return candidate
    return f"{prefix}.{name}"


_ACCOUNT_ROWS = {AccountValue._meta.db_table, AccountCustomValue._meta.db_table}


def _defines(definition: FieldDef, field: str) -> bool:
    return getattr(definition.source, "definition_id", None) == int(field.removeprefix("custom:"))


def _table(prefix: str) -> str:
    from django.apps import apps

    return str(apps.get_model(registry.records[prefix].model)._meta.db_table)


def _plain(change: Change) -> str:
    return change.field.removesuffix("_id").replace("_", " ").capitalize() or "A related record"


def shown(definition: FieldDef | None, value: str) -> str:
    """Return a stored value as people read it; "unknown" where there is none."""
    if not value:
        return "unknown"
    if definition is not None:
        for choice in definition.choices:
            if choice.value == value:
                return choice.label
        if definition.type == "boolean":
            return "yes" if value in ("1", "true", "t") else "no"
    return value


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th …"""
    if 10 <= number % 100 <= 20:
        return f"{number}th"
    return f"{number}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th') }".replace(" ", "")
