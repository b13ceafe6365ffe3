"""Pages of bulk acts: what was chosen and what will be done, how it goes, what came of it, undo."""

import csv
import re
import uuid
from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from pyroaring import BitMap

from .. import bulk, lists
from ..access import can
from ..bulk.running import standing
from ..exports import safe_cell
from ..models import BulkAct, BulkRow, BulkState, User

NAMED = 5
LISTED = 100
_DIGITS = re.compile(r"\d{1,10}")


def own_acts(user: Any) -> Any:
    """Return the acts of the user; nobody sees those of others."""
    return BulkAct.objects.filter(user=user).select_related("job", "user")


def chosen_ids(data: QueryDict) -> list[int]:
    """Return the ticked keys of a list's form: one text of all, or boxes of one page."""
    return [int(text) for text in _DIGITS.findall(data.get("pks", ""))] or [
        int(text) for text in data.getlist("pk") if _DIGITS.fullmatch(text)
    ]


def way_back(request: HttpRequest, record: str) -> str:
    """Return the list that the form came from, else the list's own address."""
    wanted = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) and wanted.startswith("/"):
        return wanted[:2000]
    return reverse(lists.get(record).url_name)


def known_list(record: str) -> lists.ListDefinition:
    """Return the list of a key; raises Http404."""
    try:
        return lists.get(record)
    except lists.UnknownList:
        raise Http404 from None


@login_required
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Freeze what was ticked, or all that the list shows, and ask what to do; htmx gets the dialog's inside."""
    user, record = request.user, request.POST.get("record", "")
    definition = known_list(record)
    assert isinstance(user, User)
    try:
        action = bulk.action_named(request.POST.get("action", ""), record)
    except bulk.UnknownAction:
        raise Http404 from None
    if not can(user, action.capability):
        raise PermissionDenied
    back = way_back(request, record)
    try:
        keys = bulk.keys_of(
            record,
            user,
            ids=chosen_ids(request.POST),
            everything=request.POST.get("all") == "1",
            params=QueryDict(request.POST.get("query", "")),
        )
    except bulk.NothingChosen as nothing:
        if getattr(request, "htmx", False):
            return render(request, "bulk/_nothing.html", {"text": str(nothing), "unit": definition.unit})
        messages.error(request, str(nothing))
        return redirect(back)
    act = bulk.draft(user, action, record, keys, back)
    if getattr(request, "htmx", False):
        return render(request, "bulk/_act_form.html", _draft_context(request, act, _form(act, None, request.GET)))
    return redirect("bulk:act", act.public_id)


@login_required
@require_http_methods(["GET", "POST"])
def act_page(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show an act: a draft's form, else how it goes and what came of it; POST starts the draft."""
    act = standing(get_object_or_404(own_acts(request.user), public_id=public_id))
    if act.state != BulkState.DRAFT:
        if request.method == "POST":
            return _to(request, act)
        return render(request, "bulk/act_detail.html", _result_context(request, act))
    action = _action(act)
    if not can(request.user, action.capability):
        raise PermissionDenied
    form = _form(act, request.POST if request.method == "POST" else None, request.GET)
    if request.method == "POST" and (form is None or form.is_valid()):
        with transaction.atomic():
            bulk.start(act, form.params() if form else {}, _title(act, form))
        return _to(request, act)
    is_part = getattr(request, "htmx", False)
    template = "bulk/_act_form.html" if is_part else "bulk/act_draft.html"
    return render(request, template, _draft_context(request, act, form))


@login_required
@require_POST
def act_undo(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Put back what the act changed and nobody has touched since."""
    act = standing(get_object_or_404(own_acts(request.user), public_id=public_id))
    if not bulk.may_undo(act):
        messages.info(request, "There is nothing to undo here any more.")
    else:
        bulk.start_undo(act)
    return redirect("bulk:act", act.public_id)


@login_required
@require_GET
def act_refused(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Download the records that were refused, or not undone, with their reasons."""
    act = get_object_or_404(own_acts(request.user), public_id=public_id)
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{act.public_id.hex[:8]}.csv"'
    response["Cache-Control"] = "private, no-store"
    response.write("\ufeff")
    writer = csv.writer(response)  # type: ignore[arg-type]
    writer.writerow(["id", "name", "outcome", "reason"])
    rows = act.rows.exclude(outcome=BulkRow.Outcome.CHANGED)
    after = 0
    while page := list(rows.filter(record_id__gt=after).order_by("record_id", "outcome")[:1000]):
        names = _names(act, request.user, [row.record_id for row in page])
        for row in page:
            name = names.get(row.record_id, "")
            writer.writerow([row.record_id, safe_cell(name), row.get_outcome_display(), safe_cell(row.reason)])
        after = page[-1].record_id
    return response


def _to(request: HttpRequest, act: BulkAct) -> HttpResponse:
    url = reverse("bulk:act", args=[act.public_id])
    if getattr(request, "htmx", False):
        return HttpResponse(headers={"HX-Redirect": url})
    return HttpResponseRedirect(url)


def _action(act: BulkAct) -> bulk.ListAction:
    try:
        return bulk.action_named(act.action, act.record)
    except bulk.UnknownAction:
        raise Http404 from None


def _form(act: BulkAct, data: QueryDict | None, shown: QueryDict) -> bulk.ActionForm | None:
    form_class = _action(act).form_class
    if form_class is None:
        return None
    return form_class(data, user=act.user, record=act.record, initial=shown.dict())


def _count(act: BulkAct) -> str:
    definition = lists.get(act.record)
    return f"{act.total:,} {definition.unit if act.total == 1 else definition.unit_plural}"


def _title(act: BulkAct, form: bulk.ActionForm | None) -> str:
    """Return the act in words: "Set Tier to “1”: 12 accounts"."""
    words = form.words() if form else _action(act).label
    return f"{words}: {_count(act)}"


def _names(act: BulkAct, user: Any, ids: Iterable[int]) -> dict[int, str]:
    """Return the names of those records that the user sees (1–4 queries)."""
    rows = lists.get(act.record).base(user).filter(pk__in=list(ids))
    return {row.pk: str(row) for row in rows}


def _draft_context(request: HttpRequest, act: BulkAct, form: bulk.ActionForm | None) -> dict[str, Any]:
    action = _action(act)
    first = list(BitMap.deserialize(bytes(act.keys))[:NAMED])
    names = list(_names(act, request.user, first).values())
    return {
        "act": act,
        "action": action,
        "form": form,
        "count": _count(act),
        "names": names,
        "others": act.total - len(names),
        "in_background": act.total > bulk.AT_ONCE,
        "undo_days": bulk.UNDO_DAYS if action.undo else 0,
    }


def _result_context(request: HttpRequest, act: BulkAct) -> dict[str, Any]:
    definition = lists.get(act.record)
    shown = BulkRow.Outcome.KEPT if act.state == BulkState.UNDONE else BulkRow.Outcome.REFUSED
    rows = list(act.rows.filter(outcome=shown).order_by("record_id")[:LISTED])
    names = _names(act, request.user, [row.record_id for row in rows])
    return {
        "act": act,
        "action": _action(act),
        "definition": definition,
        "list_url": act.list_url or reverse(definition.url_name),
        "rows": [{"id": row.record_id, "name": names.get(row.record_id, ""), "reason": row.reason} for row in rows],
        "more_rows": (act.kept if shown == BulkRow.Outcome.KEPT else act.refused) - len(rows),
        "may_undo": bulk.may_undo(act),
        "undo_days": bulk.UNDO_DAYS,
        "is_active": act.state in (BulkState.RUNNING, BulkState.UNDOING),
    }
