"""What was heard, counted: needs, triggers, objections, competitors; and the words behind each number."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from segmentation_crm.common.local_time import LocalDay, in_local_time
from segmentation_crm.common.models import User
from segmentation_crm.common.paging import keyset_page

from ..choices import EvidenceKind
from ..forms.work import colleagues
from ..models import Evidence, Term
from ..queries.evidence import evidence_visible_to, heard_by_term
from .seen import Seen
from .tables import Cell, Column, table, text, when

PERIODS = (("", "any time"), ("30", "the last 30 days"), ("90", "the last 90 days"), ("365", "the last 12 months"))


def _filtered(request: HttpRequest) -> tuple[Any, dict[str, Any]]:
    """Return what the user sees under the filters of the address, and their state; unknown values narrow nothing."""
    rows = evidence_visible_to(request.user)
    period, owner = request.GET.get("period", ""), request.GET.get("owner", "")
    if period in dict(PERIODS) and period:
        zone: Any = timezone.get_current_timezone()
        rows = rows.filter(said_at__gte=LocalDay.today(zone).plus(-int(period)).start)
    if owner == "me":
        rows = rows.filter(Q(account__owner=request.user) | Q(account__isnull=True, contact__owner=request.user))
    elif owner.isascii() and owner.isdigit() and len(owner) < 10:
        rows = rows.filter(Q(account__owner_id=int(owner)) | Q(account__isnull=True, contact__owner_id=int(owner)))
    kind = request.GET.get("kind", "")
    return rows, {
        "period": period if period in dict(PERIODS) else "",
        "owner": owner,
        "kind": kind if kind in EvidenceKind.values else "",
    }


def _choices(request: HttpRequest) -> dict[str, Any]:
    people: list[User] = list(colleagues()[:200])
    return {"periods": PERIODS, "kinds": EvidenceKind.choices, "people": people}


@login_required
@in_local_time
@require_GET
def evidence_list(request: HttpRequest) -> HttpResponse:
    """Show how often each need, trigger, objection and competitor was heard (5 queries)."""
    rows, chosen = _filtered(request)
    heard = heard_by_term(rows, [chosen["kind"]] if chosen["kind"] else EvidenceKind.values)
    query = request.GET.copy()
    query.pop("kind", None)
    context = {
        "heard": heard,
        "chosen": chosen,
        "query": query.urlencode(),
        "is_empty": not any(kind.rows for kind in heard),
        "is_filtered": any(chosen.values()),
        **_choices(request),
    }
    return render(request, "accounts/evidence.html", context)


@login_required
@in_local_time
@require_GET
def evidence_rows(request: HttpRequest, kind: str, term: int) -> HttpResponse:
    """Show each time one term was heard: where, by whom, in which words, newest first (≤ 8 queries)."""
    if kind not in EvidenceKind.values:
        raise Http404("no such kind of evidence")
    found = get_object_or_404(Term, pk=term, vocabulary=kind)
    rows, chosen = _filtered(request)
    rows = rows.filter(kind=kind, term=found).select_related("account", "contact", "activity", "note", "recorded_by")
    page = keyset_page(request, rows.order_by("-said_at", "-pk"))
    columns = _columns(Seen(request.user, page.rows, with_contacts=True))
    context = {
        "term": found,
        "kind_label": EvidenceKind(kind).label,
        "table": table(columns, page, "time heard", "times heard"),
        "chosen": chosen,
        **_choices(request),
    }
    return render(request, "accounts/evidence_rows.html", context)


def _columns(seen: Seen) -> list[Column]:
    return [
        Column("Account", seen.account),
        Column("Contact", seen.contact),
        Column("Heard in", _heard_in),
        Column("Words", lambda row: text(row.quote or _words(row))),
        Column("By", lambda row: text(row.recorded_by.display_name if row.recorded_by else "")),
        Column("When", lambda row: when(row.said_at)),
    ]


def _heard_in(row: Evidence) -> Cell:
    if row.activity is not None:
        return text(row.activity.get_type_display())
    return text("Note" if row.note is not None else row.get_source_kind_display())


def _words(row: Evidence) -> str:
    """Return the beginning of what was written down with it."""
    whole = (row.activity.text if row.activity is not None else row.note.text if row.note is not None else "").strip()
    return whole if len(whole) <= 140 else f"{whole[:140].rsplit(' ', 1)[0]} …"
