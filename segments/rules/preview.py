"""The preview of a rule: exact counts at every node, the sentence and a sample, for one viewer (RULES §6)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from pyroaring import BitMap

from accounts import queries
from segmentation_crm.common.access import AnyUser, visibility

from .bitmaps import Evaluator, read_keys
from .clock import Clock
from .deadline import SECONDS, RuleTooExpensive, limited
from .describe import describe, label
from .evaluate import Evaluation, evaluate
from .nodes import Rule
from .sessions import Session, SessionAtoms, begin, has_changed
from .undecided import find_undecided
from .validate import validate

SAMPLE = 10
VISIBLE: dict[str, Callable[[AnyUser], QuerySet[Any]]] = {
    "account": queries.accounts_visible_to,
    "contact": queries.contacts_visible_to,
    "opportunity": queries.opportunities_visible_to,
    "activity": queries.activities_visible_to,
}
# What names a record of the sample and its second line: a contact has ninety columns more.
NAMED_BY: dict[str, tuple[str, ...]] = {
    "account": ("name", "industry_id", "city"),
    "contact": ("first_name", "last_name", "email", "job_title", "account_id"),
    "opportunity": ("name",),
    "activity": ("type", "occurred_at"),
}


@dataclass(frozen=True)
class NodeCount:
    """How many member records that the viewer may see meet one node."""

    path: tuple[str | int, ...]
    count: int
    unit: str


@dataclass(frozen=True)
class FunnelStep:
    """How many are left after this rule of the root and all before it; label: the rule in short words."""

    path: tuple[str | int, ...]
    label: str
    count: int


@dataclass(frozen=True)
class PreviewResult:
    """The answer of a preview. note: a caution in words where as_of lies in the past, else empty.

    records: those of the sample, with the columns that name them and their second line.
    """

    count: int
    total: int
    nodes: tuple[NodeCount, ...]
    sentence: str
    sample: tuple[tuple[int, str], ...]
    as_of: datetime
    note: str = ""
    undecided: dict[str, Any] | None = None
    funnel: tuple[FunnelStep, ...] = ()
    session: str = ""
    data_changed: bool = False
    records: tuple[Any, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as the API sends it."""
        return {
            "count": self.count,
            "total": self.total,
            "nodes": [{"path": list(n.path), "count": n.count, "unit": n.unit} for n in self.nodes],
            "sentence": self.sentence,
            "sample": [{"id": key, "name": name} for key, name in self.sample],
            "undecided": self.undecided,
            "as_of": self.as_of.isoformat(),
            "note": self.note,
            "funnel": [{"path": list(s.path), "label": s.label, "count": s.count} for s in self.funnel],
            "session": self.session,
            "data_changed": self.data_changed,
        }


def preview(
    rule: Rule | dict[str, Any],
    member_type: str,
    user: AnyUser,
    as_of: datetime | date | Clock | None = None,
    *,
    seconds: float = SECONDS,
    with_undecided: bool = False,
    session: Session | None = None,
) -> PreviewResult:
    """Return counts, sentence and sample of a rule for a viewer (a query or a few for each distinct atom, and 4).

    Verdicts read all rows; results are then intersected with what the viewer may see. with_undecided: also whom missing
    data decide (`rules.undecided`; a query for each field asked). Raises InvalidRule, and RuleTooExpensive after 5
    seconds.

    session: an earlier preview's, whose moment and data count (`rules.sessions`): only atoms that it has not asked yet
    are evaluated. Without one, or with another as_of, a session begins.
    """
    checked = rule if isinstance(rule, Rule) else validate(rule, member_type, user=user)
    clock = as_of if isinstance(as_of, Clock) else Clock.at(as_of or (session.as_of if session else None))
    is_new = session is None or session.as_of != clock.as_of
    if session is None or is_new:
        session = begin(clock)
    with limited(seconds) as deadline:
        atoms = SessionAtoms(session, checked.member_type, clock)
        found = evaluate(checked, clock, atoms=atoms, deadline=deadline)
        deadline.check(tell=not visibility(user).everything)
        visible = _visible(checked.member_type, user, found.universe)
        mine = found.members & visible
        nodes = tuple(NodeCount(n.path, len(n.members & visible), n.unit) for n in found.nodes)
        records = _sample(checked.member_type, mine, user)
        sample = tuple((record.pk, str(record)) for record in records)
        funnel = _funnel(checked, found, visible)
        undecided = None
        if with_undecided:
            evaluator = Evaluator(checked.member_type, clock, atoms, deadline)
            undecided = find_undecided(checked, evaluator, visible).as_dict()
    return PreviewResult(
        len(mine), len(visible), nodes, describe(checked), sample, clock.as_of, _note(clock), undecided, funnel,
        session.text, not is_new and has_changed(session, has_read=found.queries > 0), records,
    )  # fmt: skip


def _funnel(rule: Rule, found: Evaluation, visible: BitMap) -> tuple[FunnelStep, ...]:
    """Return what each rule of the root costs, in order; only a plain "all of" narrows step by step."""
    if rule.root.combinator != "and" or rule.root.negated:
        return ()
    left, steps = visible, []
    for node in rule.root.rules:
        left = left & found.node(node.path)
        steps.append(FunnelStep(node.path, label(node), len(left)))
    return tuple(steps)


def _visible(member_type: str, user: AnyUser, universe: BitMap) -> BitMap:
    """Return those of the universe that the viewer may see now (0 queries for who sees everything, else 1)."""
    if visibility(user).everything:
        return universe
    return universe & read_keys(VISIBLE[member_type](user).order_by().values("pk"))


def _sample(member_type: str, keys: BitMap, user: AnyUser) -> tuple[Any, ...]:
    """Return the first few (1 query); read anew, so that a record gone since the session began is not named."""
    first = keys[:SAMPLE]
    records = VISIBLE[member_type](user).order_by().only(*NAMED_BY[member_type]).in_bulk(list(first))
    return tuple(records[key] for key in first if key in records)


def _note(clock: Clock) -> str:
    if clock.as_of >= timezone.now() - timedelta(minutes=10):
        return ""
    return (
        "Dated facts (activities, deals, purchases, history) are as they stood at that moment; "
        "all other fields are as they are today."
    )


__all__ = ["NodeCount", "PreviewResult", "RuleTooExpensive", "preview"]
