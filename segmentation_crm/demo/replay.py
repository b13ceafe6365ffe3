"""The story's segments through its months: who would have been in each week, stored as the runs of that time.

A past week is judged by what was there then: records made since are left out, dated values are those of the week,
events count up to it. What has no date is as it is today (RULES §5.4).
"""

import datetime as dt
from collections.abc import Iterable, Iterator

from pyroaring import BitMap

from accounts.models import Account, Contact, FieldHistory
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.fields import registry
from segments.choices import RunCause
from segments.models import Segment
from segments.rules.bitmaps import Evaluator, atom_key
from segments.rules.clock import Clock as RuleClock
from segments.rules.describe import label
from segments.rules.nodes import Condition, Group, Node, Rule
from segments.rules.validate import validate
from segments.services.storing import Words, store_difference

from .story import Clock

WEEK, MONTH = 7, 30
_MADE: dict[str, type[Account] | type[Contact]] = {"account": Account, "contact": Contact}


def replay(segment_ids: Iterable[int], clock: Clock, days: int = WEEK) -> int:
    """Store the runs of the segments up to today's midnight, one every so many days; return how many.

    Costs about as many queries a step as the rules have conditions, and 5 for each segment whose members changed.
    """
    segments = list(Segment.objects.filter(pk__in=list(segment_ids)).order_by("pk"))
    replayed = [_Replayed(segment) for segment in segments]
    runs = 0
    settings = RuleClock.at(clock.midnight)
    for moment in _moments(clock, days):
        now = RuleClock(moment, settings.zone, settings.fiscal_month, settings.size_limits)
        with effective_time(moment):
            runs += sum(one.step(now) for one in replayed)
    return runs


def _moments(clock: Clock, days: int) -> Iterator[dt.datetime]:
    first, _ = clock.month(0)
    # Counted back from today, so that the last step is today's midnight.
    for back in range(int(-first) // days, -1, -1):
        yield clock.at(-back * days)


class _Replayed:
    """One segment on its way through the weeks."""

    def __init__(self, segment: Segment) -> None:
        self.segment = segment
        self.rule: Rule = validate(segment.rules, segment.member_type, segment_id=segment.pk)
        self.members = BitMap()
        self.parts: dict[int, BitMap] = {}

    def step(self, clock: RuleClock) -> int:
        """Store who came and went since the week before; return the number of runs."""
        kind = self.segment.member_type
        evaluator = Evaluator(kind, clock, {atom_key(node): keys for node, keys in _dated(self.rule.root, clock)})
        there = BitMap(_MADE[kind].objects.filter(created_at__lt=clock.as_of).values_list("pk", flat=True))
        members = evaluator.node(self.rule.root) & there
        parts = {index: evaluator.node(rule) for index, rule in enumerate(self.rule.root.rules)}
        entered, left = members - self.members, self.members - members
        is_first = not self.parts
        run = store_difference(
            self.segment, entered, left, as_of=clock.as_of, version=self.segment.rules_version,
            cause=RunCause.DEFINITION if is_first else RunCause.DATA,
            words={} if is_first else self._words(parts, entered, left),
        )  # fmt: skip
        self.members, self.parts = members, parts
        return int(run is not None)

    def _words(self, parts: dict[int, BitMap], entered: BitMap, left: BitMap) -> dict[int, Words]:
        """Return by record which condition of the rule it came to meet, or no longer meets."""
        found: dict[int, Words] = {}
        for index, rule in enumerate(self.rule.root.rules):
            words = label(rule, self.segment.member_type)
            words = words[:1].lower() + words[1:]
            for key in (parts[index] - self.parts[index]) & entered:
                found.setdefault(key, Words(words=f"now {words}"[:300]))
            for key in (self.parts[index] - parts[index]) & left:
                found.setdefault(key, Words(words=f"no longer {words}"[:300]))
        return found


def _dated(node: Node, clock: RuleClock) -> Iterator[tuple[Condition, BitMap]]:
    """Yield the conditions on fields whose values are kept by date, with whom they held for at the moment."""
    if isinstance(node, Group):
        for rule in node.rules:
            yield from _dated(rule, clock)
    elif isinstance(node, Condition) and not node.ref.hops and node.operator in ("eq", "in") and node.ref.field.history:
        field = node.ref.field
        wanted = node.value if isinstance(node.value, tuple | list) else [node.value]
        if field.type != "enum" or registry.records.get(field.record) is None:
            return
        rows = FieldHistory.objects.filter(
            record_type=field.record, field=field.history, value__in=[str(one) for one in wanted],
            valid_from__lt=clock.as_of,
        ).exclude(valid_to__lte=clock.as_of)  # fmt: skip
        yield node, BitMap(rows.order_by().values_list("record_id", flat=True))
