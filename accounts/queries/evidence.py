"""Evidence: which a user sees, what is heard often, and how often."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone

from segmentation_crm.common.access import AnyUser, visibility

from ..choices import EvidenceKind
from ..models import Evidence, Term
from .following import of_account_else_contact

# What was heard lately counts as popular.
POPULAR_DAYS = 365


def evidence_visible_to(user: AnyUser) -> "QuerySet[Evidence]":
    """Return what was heard at accounts (else from contacts) the user sees, but in notes that were taken back."""
    seen = visibility(user)
    if seen.nothing:
        return Evidence.objects.none()
    stands = Q(note__isnull=True) | Q(note__deleted_at__isnull=True)
    return Evidence.objects.filter(of_account_else_contact(seen)).filter(stands)


def popular_terms(limit: int = 5, always: Iterable[int] = ()) -> dict[str, list[Term]]:
    """Return by kind the terms heard most in the last year, filled up with others of the vocabulary (2 queries).

    `always` are ids of terms to have among them, whatever the limit: those a person has chosen already. The
    organisation's words, not only those heard at records that the user sees: no count is shown with them.
    """
    since = timezone.now() - dt.timedelta(days=POPULAR_DAYS)
    heard = Evidence.objects.filter(said_at__gte=since).order_by().values_list("term_id").annotate(n=Count("pk"))
    counts = dict(heard.order_by("-n")[:200])
    kept = set(always)
    by_kind: dict[str, list[Term]] = defaultdict(list)
    terms = Term.objects.filter(Q(is_active=True, vocabulary__in=EvidenceKind.values) | Q(pk__in=kept))
    for term in sorted(terms[:2000], key=lambda t: (t.pk not in kept, -counts.get(t.pk, 0), t.position, t.name)):
        known = by_kind[term.vocabulary]
        if len(known) < limit or term.pk in kept:
            known.append(term)
    return by_kind


@dataclass(frozen=True)
class Heard:
    """How often a term was heard: times, at how many accounts, when last; share of the most heard, in per cent."""

    term: Term
    times: int
    accounts: int
    last: dt.datetime
    share: int = 0


@dataclass(frozen=True)
class HeardKind:
    """The terms of one kind, the most heard first."""

    kind: str
    label: str
    rows: Sequence[Heard] = field(default_factory=tuple)


def heard_by_term(rows: "QuerySet[Evidence]", kinds: Iterable[str] = EvidenceKind.values) -> list[HeardKind]:
    """Return how often each term was heard, by kind (2 queries)."""
    wanted = list(kinds)
    figures = list(
        rows.filter(kind__in=wanted)
        .order_by()
        .values("kind", "term_id")
        .annotate(times=Count("pk"), accounts=Count("account_id", distinct=True), last=Max("said_at"))
    )
    terms = Term.objects.in_bulk({row["term_id"] for row in figures})
    by_kind: dict[str, list[Heard]] = defaultdict(list)
    for row in figures:
        most = max(other["times"] for other in figures if other["kind"] == row["kind"])
        share = round(100 * row["times"] / most)
        by_kind[row["kind"]].append(
            Heard(terms[row["term_id"]], row["times"], row["accounts"], row["last"], share)
        )  # fmt: skip
    return [
        HeardKind(kind, str(EvidenceKind(kind).label), sorted(by_kind[kind], key=lambda h: (-h.times, h.term.name)))
        for kind in EvidenceKind.values
        if kind in wanted
    ]
