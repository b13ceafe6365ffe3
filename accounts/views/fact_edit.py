"""Editing one fact in place: the same form as the edit page, one field of it."""

import json
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from ..forms.sources import SourceForm
from ..models import Provenance
from ..queries.changes import changes_of, changing
from ..services.changes import logged_fields
from ..services.provenance import forget_sources, state_source
from ..services.undoing import CUSTOM, VISIBLE, current_values
from .change_words import ChangeWords, Said
from .facts import FORMS, edited_together, fact_groups, hidden_references
from .pages import demand_write, one


@login_required
@require_http_methods(["GET", "POST"])
def fact_edit(request: HttpRequest, record_type: str, pk: int, name: str) -> HttpResponse:
    """Show or save the form of one field of a record; without htmx the edit page does it."""
    queryset = VISIBLE[record_type](request.user)
    references = [f.name for f in logged_fields(queryset.model) if isinstance(f, models.ForeignKey)]
    record = one(queryset.select_related(*references), pk)
    demand_write(request)
    form = _form(request, record_type, record, name)
    if not request.headers.get("HX-Request"):
        return redirect(reverse(f"accounts:{record_type}_edit", args=[pk]) + f"#id_{name}")
    if "show" in request.GET:
        return _facts(request, record_type, record, name)
    names = [_log_name(one) for one in form.fields if one != "version"]
    now = json.dumps(current_values(record, names), sort_keys=True)
    standing = Provenance.objects.filter(record_type=record_type, record_id=pk, field=_log_name(name)).first()
    source = SourceForm(
        request.POST if request.method == "POST" else None,
        standing=standing, prefix="source", auto_id=f"fact-{name}-%s",
    )  # fmt: skip
    meanwhile: dict[str, Any] | None = None
    if request.method == "POST":
        if request.POST.get("was") not in (None, now):
            meanwhile = _meanwhile(request, record_type, record, names)
        elif all([form.is_valid(), source.is_valid()]) and _save(record_type, form, source, names):
            fresh = one(queryset.select_related(*references), pk)
            return _facts(request, record_type, fresh, name)
    context = {
        "form": form, "source": source, "name": name, "was": now, "meanwhile": meanwhile,
        "url": reverse(f"accounts:{record_type}_fact", args=[pk, name]),
        "source_open": source.is_bound and bool(source.errors),
    }  # fmt: skip
    return render(request, "accounts/_fact_form.html", context)


def _form(request: HttpRequest, record_type: str, record: Any, name: str) -> Any:
    """Return the record's form with the fields that are edited together; its version is today's: `was` guards it.

    Raises Http404 for a field that the form lacks.
    """
    data = None
    if request.method == "POST":
        data = request.POST.copy()
        data["version"] = str(record.version)
    form = FORMS[record_type](data, instance=record, user=request.user, auto_id=f"fact-{name}-%s")
    if name not in form.fields or name == "version":
        raise Http404("no such field")
    form.keep_only(edited_together(record_type, name))
    return form


def _log_name(name: str) -> str:
    return CUSTOM + name.removeprefix("custom_") if name.startswith("custom_") else name


def _save(record_type: str, form: Any, source: SourceForm, names: Iterable[str]) -> bool:
    """Save value and source in one transaction; False, with an error on the form, where that is not possible."""
    with transaction.atomic():
        record = form.instance
        if any(changed != "version" for changed in form.changed_data):
            record = form.save_safely()
            if record is None:
                return False
        if source.has_changed():
            if source.is_stated:
                state_source(record_type, record.pk, names, **source.values())
            else:
                forget_sources(record_type, record.pk, names)
    return True


def _meanwhile(request: HttpRequest, record_type: str, record: Any, names: list[str]) -> dict[str, Any]:
    """Return what stands now, who wrote it and when: the value typed stays in the form."""
    last = next((row for one in names if (row := changing(changes_of(record), one).first())), None)
    values = current_values(record, names)
    shown = [{"field": one, "old": None, "new": value} for one, value in values.items()]
    words = ChangeWords(request.user, [Said(record_type, shown)], record)
    return {
        "who": (last.actor_name if last else "") or "Somebody",
        "at": last.at if last else None,
        "lines": words.lines_of(record_type, shown),
    }


def _facts(request: HttpRequest, record_type: str, record: Any, name: str) -> HttpResponse:
    """Answer all facts anew: others may follow from the one; the focus goes back to its pencil."""
    groups = fact_groups(record_type, record, hidden_references(request.user, record))
    response = render(request, "accounts/_facts.html", {"groups": groups})
    response["HX-Retarget"], response["HX-Reswap"] = "#facts", "outerHTML"
    response["HX-Trigger-After-Settle"] = json.dumps({"crm:focus": {"id": f"edit-{name}"}})
    return response
