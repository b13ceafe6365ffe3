"""What a refresh needs to know of each segment: its validated rule and what that reads, kept in the process."""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass

from accounts.capture import table_versions
from accounts.capture.references import REFERENCES, SETTINGS, is_record
from segmentation_crm.common.fields import registry

from ..choices import SegmentKind
from ..models import Segment
from ..rules.nodes import Rule
from ..rules.validate import validate
from ..wakes import Reading, reading_of, segment_name
from ..wakes.reading import Reads

KEPT = 2_000


@dataclass(frozen=True)
class Plan:
    """A segment's rule and what it reads; rule is None where members follow no rule any more."""

    rule: Rule | None
    reading: Reading


_plans: "OrderedDict[tuple[int, int, str, str, int | None, str], Plan]" = OrderedDict()
_guard = threading.Lock()


def plan_of(segment: Segment, versions: str) -> Plan:
    """Return the plan of a segment (0 queries where the process knows it, else those of validation).

    versions: the state of the reference data, as `reference_versions` gives it. Raises InvalidRule.
    """
    rules = json.dumps(segment.rules)
    key = (segment.pk, segment.rules_version, rules, segment.kind, segment.parent_id, versions)
    with _guard:
        if key in _plans:
            _plans.move_to_end(key)
            return _plans[key]
    plan = _made(segment)
    with _guard:
        _plans[key] = plan
        while len(_plans) > KEPT:
            _plans.popitem(last=False)
    return plan


def _made(segment: Segment) -> Plan:
    follows = segment.kind == SegmentKind.DYNAMIC
    if follows:
        rule = validate(segment.rules, segment.member_type, segment_id=segment.pk)
        reading = reading_of(rule)
    else:
        # Members go where their record does: deleted, merged away, erased.
        rule, reading = None, Reading(Reads(segment.member_type))
    if segment.parent_id is not None:
        reading.reads.tables.add(segment_name(segment.parent_id))
        reading.segments.add(segment.parent_id)
    return Plan(rule, reading)


def reference_versions() -> str:
    """Return a text that differs whenever reference data that rules name may have changed (1 query)."""
    targets = {definition.target for definition in registry.fields(custom=False) if definition.target}
    names = {name for name in targets if not is_record(name)} | set(REFERENCES) | set(SETTINGS)
    return str(sorted(table_versions(names).items()))
