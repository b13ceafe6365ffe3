"""Logging from anywhere: the dialog, its searches, and the undo."""

import json
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models.functions import Length
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.access import can
from segmentation_crm.common.folding import fold
from segmentation_crm.common.local_time import in_local_time
from segmentation_crm.common.models import SubmittedForm, User

from ..choices import EvidenceKind
from ..forms.work import QuickLogForm, outcome_choices
from ..models import Account, Contact, Opportunity, Term
from ..queries.evidence import popular_terms
from ..queries.quick_log import MOST_DEALS, MOST_PEOPLE, open_deals_around, people_around, records_named_like
from ..services import quick_log as logging
from ..services import work
from .pages import demand_write

CHIP_LABELS = {"need": "Needs", "trigger": "Triggers", "objection": "Objections", "competitor": "Competitors"}


def me(request: HttpRequest) -> User:
    """Return the person who is signed in."""
    assert isinstance(request.user, User)  # login_required stands before every view that asks
    return request.user


@login_required
@in_local_time
@require_http_methods(["GET", "POST"])
def quick_log(request: HttpRequest) -> HttpResponse:
    """Show the log dialog, or write what it sends (GET up to 9 queries); a page of its own without htmx."""
    demand_write(request)
    if request.method == "GET":
        kind = request.GET.get("kind", "")
        initial = {
            "token": uuid.uuid4(),
            "record": request.GET.get("record", "")[:40],
            "kind": kind if kind in logging.LogKind.values else logging.LogKind.CALL,
            "at": timezone.localtime(),
            "task_owner": request.user.pk,
            "task_type": "follow_up",
            "remind": "due",
        }
        return _show(request, QuickLogForm(initial=initial, user=me(request)))
    form = QuickLogForm(request.POST, user=me(request))
    if form.is_valid():
        try:
            submitted, _ = logging.log(form.entry(), me(request), form.cleaned_data["token"])
        except ValidationError as error:
            take_errors(form, error)
        else:
            return _logged(request, submitted, form.cleaned_data["record"])
    return _show(request, form)


def take_errors(form: Any, error: ValidationError) -> None:
    """Put a service's errors beside their fields, others above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, found in error.message_dict.items():
        form.add_error(name if name in form.fields else None, found)


def _show(request: HttpRequest, form: QuickLogForm) -> HttpResponse:
    template = "accounts/_quick_log.html" if _is_fragment(request) else "accounts/quick_log.html"
    return render(request, template, {"form": form, **_around(request, form)})


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _around(request: HttpRequest, form: QuickLogForm) -> dict[str, Any]:
    """Return what the dialog offers around its record: people, deals, chips."""
    record = form.about
    chosen = {kind: form.chosen(kind) for kind in EvidenceKind.values}
    popular = popular_terms(always=[pk for ids in chosen.values() for pk in ids])
    data = form.data
    sent = set(data.getlist("people")) if form.is_bound and isinstance(data, QueryDict) else set()
    if isinstance(record, Contact) and not form.is_bound:
        sent = {str(record.pk)}
    return {
        "loose": _errors_without_place(form, bool(record)),
        "about": record,
        "about_name": f"{work.column_of(record)}:{record.pk}" if record is not None else "",
        "about_kind": record._meta.verbose_name if record is not None else "",
        "people": [
            (person, str(person.pk) in sent)
            for person in (people_around(request.user, record)[:MOST_PEOPLE] if record is not None else ())
        ],
        "deals": list(open_deals_around(request.user, record)[:MOST_DEALS]) if record is not None else [],
        "is_deal": isinstance(record, Opportunity),
        "call_outcomes": outcome_choices(logging.LogKind.CALL),
        "meeting_outcomes": outcome_choices(logging.LogKind.MEETING),
        "kinds": logging.LogKind.choices,
        "kind": form["kind"].value(),
        "chips": [
            {
                "kind": kind,
                "label": label,
                "terms": [(t, t.pk in chosen[kind]) for t in popular.get(kind, [])],
                "new": form.new_words(kind),
            }
            for kind, label in CHIP_LABELS.items()
        ],
    }


def _errors_without_place(form: QuickLogForm, has_record: bool) -> list[str]:
    """Return the errors of fields that the dialog does not show as things are."""
    if not form.errors:
        return []
    hidden = {"token", "kind", *(() if has_record else ("people", "deal", "next_step", "next_step_due"))}
    if has_record and form.about is not None:
        hidden |= set() if open_deals_around(form.user, form.about).exists() else {"deal", "next_step", "next_step_due"}
        hidden |= set() if people_around(form.user, form.about).exists() else {"people"}
    return [str(error) for name in form.errors if name in hidden for error in form.errors[name]]


def _logged(request: HttpRequest, submitted: SubmittedForm, record: Account | Contact | Opportunity) -> HttpResponse:
    """Say that it is done, with the way back."""
    words = submitted.result.get("label", "Logged")
    if hidden := submitted.result.get("not_told"):
        words += f". {', '.join(hidden)} cannot see this record and was not told"
    if not _is_fragment(request):
        messages.success(request, f"{words}.")
        return redirect(work.record_url(record))
    response = HttpResponse(status=204)
    told = {"text": words, "undo": reverse("accounts:quick_log_undo", args=[submitted.token])}
    response["HX-Trigger"] = json.dumps({"crm:logged": told})
    return response


@login_required
@require_POST
def quick_log_undo(request: HttpRequest, token: uuid.UUID) -> HttpResponse:
    """Take back what one logged, or a task that one deleted."""
    demand_write(request)
    submitted = get_object_or_404(SubmittedForm, user=me(request), token=token)
    try:
        if kept := submitted.result.get("deleted_task"):
            work.restore_task(kept)
            words = "The task is back."
        else:
            words = "Taken back." if logging.undo(submitted) else "That was taken back before."
    except ValidationError as error:
        words = " ".join(error.messages)
    if _is_fragment(request):
        response = HttpResponse(status=204)
        response["HX-Trigger"] = json.dumps({"crm:logged": {"text": words}})
        return response
    messages.success(request, words)
    return redirect(back_to(request))


def back_to(request: HttpRequest, otherwise: str = "accounts:my_day") -> str:
    """Return the address that a form names in `next`, where it is one of this site, else another page's."""
    target = request.POST.get("next", "") or request.GET.get("next", "")
    if target.startswith("/") and url_has_allowed_host_and_scheme(target, {request.get_host()}):
        # It may become a header: line breaks and the like are written as an address writes them.
        return iri_to_uri(target) or ""
    return reverse(otherwise)


@login_required
@require_GET
def quick_log_records(request: HttpRequest) -> HttpResponse:
    """Answer the records whose names contain a text, as choices (3 queries)."""
    if not request.user.is_active:
        raise PermissionDenied
    text = request.GET.get("find", "")[:100].replace("\x00", "")
    found = [
        {"name": f"{work.column_of(row)}:{row.pk}", "kind": row._meta.verbose_name, "label": str(row)}
        for row in records_named_like(request.user, text)
    ]
    return render(request, "accounts/_quick_log_records.html", {"found": found, "text": text})


@login_required
@require_GET
def quick_log_terms(request: HttpRequest, kind: str) -> HttpResponse:
    """Answer up to 8 terms of a kind of evidence whose names contain a text, as chips (1 query).

    Whoever keeps vocabularies can add a word that is not there.
    """
    if kind not in EvidenceKind.values:
        raise Http404("no such vocabulary")
    typed = " ".join(request.GET.get(f"find_{kind}", "")[:100].replace("\x00", "").split())
    text = fold(typed)
    named = Term.objects.filter(vocabulary=kind, is_active=True, name_folded__contains=text)
    # the word itself first, however many contain it
    terms = list(named.order_by(Length("name_folded"), "name_folded")[:8]) if text else []
    is_known = any(term.name_folded == text for term in terms)
    may_add = bool(text) and not is_known and can(request.user, "vocabularies.write")
    context = {"kind": kind, "terms": terms, "text": text, "typed": typed, "may_add": may_add}
    return render(request, "accounts/_quick_log_terms.html", context)
