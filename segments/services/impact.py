"""The dry run of a changed rule: who would enter and leave, and what depends on the segment."""

import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from pyroaring import BitMap

from segmentation_crm.common import lists
from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now

from ..models import Segment
from ..queries import records_visible_to, sees_every_record
from ..rules.bitmaps import Evaluator, read_keys
from ..rules.clock import Clock
from ..rules.deadline import limited
from ..rules.nodes import InvalidRule, Rule
from ..rules.validate import validate
from ..sentences import words_for
from .composing import membership_of
from .dependents import Dependent, dependents_of
from .membership import current_members, manual_keys
from .previewing import slot
from .saving import validated

SAMPLE = 10
SECONDS = 5.0
# An address that is longer is refused by servers on the way.
LONGEST_ADDRESS = 6_000


@dataclass(frozen=True)
class Side:
    """Who would enter, or leave: how many that the viewer may see, up to 10 of them, and the list of all ("": none)."""

    count: int
    sample: list[tuple[int, str]]
    list_url: str


@dataclass(frozen=True)
class Impact:
    """What a rule would change, in numbers of records that the viewer may see."""

    sentence: str
    member_count: int
    entered: Side
    left: Side
    by_hand: int
    narrowed: bool
    dependents: list[Dependent]
    duration_ms: float

    @property
    def after(self) -> int:
        """Return how many members there would be."""
        return self.member_count + self.entered.count - self.left.count


def dry_run(user: AnyUser, segment: Segment, rules: Any) -> Impact:
    """Return what saving the rule would change now; nothing is written (queries: those of a preview, and 10).

    Decisions by hand, the parent and the lot of a split count as they would. Raises InvalidRule, RuleTooExpensive
    after 5 seconds, TooManyPreviews while two others of the same user run.
    """
    rule = validated(rules, segment.member_type, user, segment.pk)
    with slot(user):
        began = time.monotonic()
        with limited(SECONDS) as deadline:
            evaluator = Evaluator(rule.member_type, Clock.at(effective_now()), deadline=deadline)
            wanted = membership_of(segment, evaluator.node(rule.root))
            stored = current_members(segment)
            narrowed = not sees_every_record(user)
            entered, left = wanted - stored, stored - wanted
            if narrowed:
                visible = read_keys(records_visible_to(segment.member_type, user).order_by().values("pk"))
                entered, left, stored = entered & visible, left & visible, stored & visible
        spent = (time.monotonic() - began) * 1000
    canonical = rule.canonical
    coming, going = _lists_of(segment, rule)
    return Impact(
        sentence=words_for(rule, user),
        member_count=len(stored),
        entered=Side(len(entered), _names(segment, entered, user), coming),
        left=Side(len(left), _names(segment, left, user), going),
        by_hand=sum(len(keys) for keys in manual_keys(segment)),
        narrowed=narrowed,
        dependents=dependents_of(segment) if canonical != segment.rules else [],
        duration_ms=round(spent, 1),
    )


def _names(segment: Segment, keys: BitMap, user: AnyUser) -> list[tuple[int, str]]:
    """Return the first records by key, with their names (1 query)."""
    first = [key for key, _ in zip(keys, range(SAMPLE), strict=False)]
    if not first:
        return []
    found = records_visible_to(segment.member_type, user).in_bulk(first)
    return [(key, str(found[key])) for key in first if key in found]


def _lists_of(segment: Segment, rule: Rule) -> tuple[str, str]:
    """Return the addresses of the lists of who enters and who leaves, "" where a list cannot say it."""
    inside = {"field": "segment", "operator": "in", "value": [segment.slug]}
    outside = {**inside, "operator": "not_in"}
    within = [] if segment.parent is None else [{**inside, "value": [segment.parent.slug]}]
    # A part of a split, and decisions by hand, are no matter of rules; the page says so.
    entering = {"combinator": "and", "rules": [rule.canonical, outside, *within]}
    leaving = {"combinator": "and", "rules": [inside, {"combinator": "and", "not": True, "rules": [rule.canonical]}]}
    return _list_url(segment.member_type, entering), _list_url(segment.member_type, leaving)


def _list_url(member_type: str, rules: dict[str, Any]) -> str:
    rules = json.loads(json.dumps(rules))
    for inner in rules["rules"]:
        for group in (inner, *inner.get("rules", [])):
            group.pop("version", None)
    try:
        canonical = validate(rules, member_type).canonical
    except InvalidRule:
        return ""
    query = urlencode({"view": lists.NO_VIEW, "rules": json.dumps(canonical, separators=(",", ":"))})
    found = f"{reverse(lists.get(member_type).url_name)}?{query}"
    return found if len(found) <= LONGEST_ADDRESS else ""
