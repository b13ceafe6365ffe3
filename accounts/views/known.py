"""Needs and technologies as chips on a record's page: add by typing, remove with undo, open to change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core import signing
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from segmentation_crm.common.access import can

from ..choices import CatalogueKind, EvidenceKind, RecordType, Vocabulary
from ..forms.known import NeedForm, TechnologyForm
from ..models import AccountTechnology, Contact, Need, Provenance
from ..queries import needs_visible_to, resolve_catalogue, resolve_term, technologies_visible_to
from ..queries.at_record import rows_at
from ..queries.heard import evidence_of
from ..services.catalogue import add_entry
from ..services.needs import change_need, drop_need, restore_need, state_need
from ..services.technologies import change_technology, drop_technology, keep_technology, restore_technology
from ..services.vocabularies import add_term
from .pages import demand_write, one
from .records import VISIBLE, record_or_404

_SALT = "accounts.known"
_UNDO_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Known:
    """One kind of chip: its rows, and how a row comes, changes, goes and comes back."""

    key: str
    title: str
    word: str
    rows: Callable[[Any, Any], "QuerySet[Any]"]
    visible: Callable[[Any], "QuerySet[Any]"]
    form: type[Any]
    find: Callable[[str], Any]
    make: Callable[[str], Any]
    keep: Callable[..., Any]
    change: Callable[..., Any]
    drop: Callable[..., dict[str, Any]]
    restore: Callable[[dict[str, Any]], Any]
    record_type: str
    provenance_field: str


def need_rows(user: Any, record: Any) -> "QuerySet[Need]":
    """Return the needs of a record that is seen, the pressing ones first, the rejected last."""
    rows = rows_at(user, record, Need).select_related("need")
    return rows.order_by("rejected_on", "priority", "need__name_folded")


def technology_rows(user: Any, record: Any) -> "QuerySet[AccountTechnology]":
    """Return the technologies of an account that is seen, by name."""
    rows = rows_at(user, record, AccountTechnology)
    return rows.select_related("product__vendor", "product__category").order_by("product__name_folded")


KINDS = {
    "needs": Known(
        key="needs",
        title="Needs",
        word="need",
        rows=need_rows,
        visible=needs_visible_to,
        form=NeedForm,
        find=lambda text: resolve_term(Vocabulary.NEED, text),
        make=lambda text: add_term(Vocabulary.NEED, text),
        keep=state_need,
        change=change_need,
        drop=drop_need,
        restore=restore_need,
        record_type=RecordType.NEED,
        provenance_field="need",
    ),
    "technologies": Known(
        key="technologies",
        title="Technologies",
        word="technology",
        rows=technology_rows,
        visible=technologies_visible_to,
        form=TechnologyForm,
        find=lambda text: resolve_catalogue(CatalogueKind.TECHNOLOGY_PRODUCT, text),
        make=lambda text: add_entry(CatalogueKind.TECHNOLOGY_PRODUCT, text),
        keep=keep_technology,
        change=change_technology,
        drop=drop_technology,
        restore=restore_technology,
        record_type=RecordType.TECHNOLOGY,
        provenance_field="product",
    ),
}


def chips_context(request: HttpRequest, record: Any, key: str, **more: Any) -> dict[str, Any]:
    """Return what _chips_panel.html needs (1 query)."""
    kind = KINDS[key]
    rows = list(kind.rows(request.user, record)[:200])
    return {
        "chips": [{"row": row, "name": name_of(row), **_look(row)} for row in rows],
        "known": kind,
        "record": record,
        "record_kind": record._meta.model_name,
        "can_write": can(request.user, "records.write"),
        "may_add_terms": can(request.user, "vocabularies.write"),
        **more,
    }


def name_of(row: Any) -> str:
    """Return the name of what a chip stands for."""
    return str(row.need if isinstance(row, Need) else row.product)


def _look(row: Any) -> dict[str, str]:
    """Return how a chip looks and what it says besides its name."""
    if isinstance(row, Need):
        if row.rejected_on:
            return {"state": "rejected", "sub": "rejected"}
        inferred = row.evidence.startswith("inferred")
        words = [row.get_evidence_display().lower()] if inferred else []
        if row.priority:
            words.append(f"priority {row.priority}")
        return {"state": "inferred" if inferred else "", "sub": ", ".join(words)}
    states = {"former": "rejected", "evaluating": "inferred"}
    sub = "" if row.status == "in_use" else row.get_status_display().lower()
    return {"state": states.get(row.status, ""), "sub": sub}


def _row(request: HttpRequest, key: str, pk: int) -> tuple[Known, Any, Any]:
    """Return kind, row and its record, or 404 where the user does not see either."""
    kind = KINDS.get(key)
    if kind is None:
        raise Http404("no such kind")
    row = one(kind.visible(request.user), pk)
    contact_id = getattr(row, "contact_id", None)
    record_kind, record_pk = ("contact", contact_id) if contact_id else ("account", row.account_id)
    return kind, row, record_or_404(request, record_kind, record_pk)


@login_required
@require_POST
def known_add(request: HttpRequest, pk: int, kind: str, key: str) -> HttpResponse:
    """Add what was typed or picked, by its name; a new word needs the right to keep vocabularies."""
    demand_write(request)
    record = record_or_404(request, kind, pk)
    known = KINDS[key]
    text = request.POST.get("name", "").replace("\x00", "").strip()
    problem = ""
    try:
        found = known.find(text) if text else None
        if not text:
            problem = f"Type the name of a {known.word}."
        elif found is None and not can(request.user, "vocabularies.write"):
            problem = f"“{text[:80]}” is not in the list. Choose one that is, or ask a manager to add it."
        else:
            known.keep(record, found if found is not None else known.make(text), by=request.user)
    except ValidationError as error:
        problem = " ".join(error.messages)
    return _panel(request, record, key, problem=problem, typed=text if problem else "", focus=True)


@login_required
@require_http_methods(["GET", "POST"])
def known_edit(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Show one chip's details in a dialog; save them."""
    known, row, record = _row(request, key, pk)
    source = Provenance.objects.filter(
        record_type=known.record_type, record_id=row.pk, field=known.provenance_field
    ).first()
    writes = can(request.user, "records.write")
    if request.method == "POST":
        demand_write(request)
        form = known.form(request.POST)
        if form.is_valid():
            try:
                known.change(row, request.user, **form.cleaned_data)
            except ValidationError as error:
                for name, words in error.message_dict.items():
                    form.add_error(name if name in form.fields else None, words)
            else:
                response = _panel(request, record, key)
                response["HX-Retarget"] = f"#known-{key}"
                response["HX-Reswap"] = "outerHTML"
                response["HX-Trigger-After-Swap"] = "records:close"
                return response
    else:
        form = known.form(initial=known.form.initial_of(row, source.kind if source else ""))
    heard = evidence_of(request.user, record, term=row.need_id, kind=EvidenceKind.NEED) if key == "needs" else []
    context = {"form": form, "row": row, "known": known, "name": name_of(row), "heard": heard, "can_write": writes}
    return render(request, "accounts/_known_dialog.html", context)


@login_required
@require_POST
def known_remove(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Take a chip off; an inferred need is rejected. What went can be brought back."""
    demand_write(request)
    known, row, record = _row(request, key, pk)
    name, rejected = name_of(row), isinstance(row, Need) and row.evidence.startswith("inferred")
    kept = known.drop(row, request.user)
    words = f"{name} is rejected and will not be inferred again." if rejected else f"{name} is removed."
    token = signing.dumps({"user": request.user.pk, "key": key, **kept}, salt=_SALT)
    return _panel(request, record, key, removed=words, undo=token)


@login_required
@require_POST
def known_restore(request: HttpRequest, key: str) -> HttpResponse:
    """Bring back what was removed last."""
    demand_write(request)
    try:
        kept = signing.loads(request.POST.get("undo", ""), salt=_SALT, max_age=_UNDO_SECONDS)
    except signing.BadSignature:
        raise Http404("nothing to bring back") from None
    if kept.pop("user") != request.user.pk or kept.pop("key") != key or key not in KINDS:
        raise Http404("nothing to bring back")
    kind = "contact" if kept.get("contact_id") else "account"
    record = record_or_404(request, kind, kept[f"{kind}_id"])
    problem = ""
    try:
        KINDS[key].restore(kept)
    except ValidationError as error:
        problem = " ".join(error.messages)
    return _panel(request, record, key, problem=problem)


def _panel(request: HttpRequest, record: Contact | Any, key: str, **more: Any) -> HttpResponse:
    return render(request, "accounts/_chips_panel.html", chips_context(request, record, key, **more))


__all__ = ["VISIBLE", "chips_context", "known_add", "known_edit", "known_remove", "known_restore"]
