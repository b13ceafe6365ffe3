"""What a timeline shows besides activities: notes, tasks, deals, purchases, contracts, cases, files, status."""

from typing import Any

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from segmentation_crm.common.among import KeyAmong
from segmentation_crm.common.timeline import TimelineEvent, TimelineKind, TimelineQuery, TimelineSource, day_start

from ..choices import AccountLifecycle, ContactLifecycle, ContractStatus, LeadStatus, RecordType, Tier
from ..models import Attachment, Contract, FieldHistory, Note, Opportunity, Purchase, Stage, SupportCase, Task
from .at_record import rows_at, standing

_K = TimelineKind
_STATUS_LABELS: dict[tuple[str, str], dict[str, str]] = {
    ("account", "lifecycle_stage"): dict(AccountLifecycle.choices),
    ("account", "tier"): dict(Tier.choices),
    ("contact", "lifecycle_stage"): dict(ContactLifecycle.choices),
    ("contact", "lead_status"): dict(LeadStatus.choices),
}
_STATUS_TITLES = {"lifecycle_stage": "Lifecycle", "tier": "Tier", "lead_status": "Lead status"}

# The columns that name a person and tell whether the person is still kept.
CONTACT_NAMED = tuple(
    f"contact__{name}" for name in ("first_name", "last_name", "email", "deleted_at", "merged_into_id", "erased_at")
)


def user_named(column: str) -> tuple[str, ...]:
    """Return the columns that name the user whom a column points to."""
    return tuple(f"{column}__{name}" for name in ("username", "first_name", "last_name"))


def around(query: TimelineQuery, model: type[Any]) -> "QuerySet[Any]":
    """Return the tasks, notes or files of the record, its people and its deals: all seen, and so what hangs on them."""
    rows = standing(model)
    if query.contact_id is not None:
        return rows.filter(contact=query.contact_id)
    found = Q(KeyAmong("contact_id", query.contacts)) | Q(KeyAmong("opportunity_id", query.opportunities))
    if query.record_type == "account":
        found |= Q(account=query.record.pk)
    return rows.filter(found)


def _own(query: TimelineQuery, model: type[Any], has_contact: bool = True) -> "QuerySet[Any]":
    """Return the rows that carry account and contact of the record, and of the person asked for."""
    if query.contact_id is not None and not has_contact:
        return model.objects.none()  # type: ignore[no-any-return]
    if query.record_type == "contact" and not has_contact:
        return model.objects.none()  # type: ignore[no-any-return]
    if query.record_type == "opportunity" and not hasattr(model, "opportunity"):
        return model.objects.none()  # type: ignore[no-any-return]
    rows = rows_at(query.user, query.record, model)
    return rows if query.contact_id is None else rows.filter(contact=query.contact_id)


def _notes(query: TimelineQuery) -> list[TimelineEvent]:
    rows = around(query, Note).filter(query.older("created_at"))
    rows = rows.select_related("author", "contact", "opportunity").order_by("-created_at", "-pk")
    rows = rows.only("created_at", "text", "opportunity__name", *user_named("author"), *CONTACT_NAMED)
    return [
        TimelineEvent(
            at=note.created_at,
            kind=_K.NOTE,
            pk=note.pk,
            title="Note",
            icon="note",
            about=f"on {note.opportunity.name}" if note.opportunity and query.record_type != "opportunity" else "",
            text=note.text,
            by=note.author.display_name if note.author else "",
            contact=note.contact,
        )
        for note in rows[: query.limit]
    ]


def _tasks(query: TimelineQuery) -> list[TimelineEvent]:
    rows = around(query, Task).filter(query.older("done_at"))
    rows = rows.select_related("owner", "contact").order_by("-done_at", "-pk")
    rows = rows.only("done_at", "title", "outcome", *user_named("owner"), *CONTACT_NAMED)
    return [
        TimelineEvent(
            at=task.done_at,
            kind=_K.TASK,
            pk=task.pk,
            title="Task done",
            icon="circle-check",
            about=f"{task.title}: {task.outcome}" if task.outcome else task.title,
            by=task.owner.display_name if task.owner else "",
            contact=task.contact,
        )
        for task in rows[: query.limit]
    ]


def _deals(query: TimelineQuery) -> list[TimelineEvent]:
    """Return the dated stage changes of the deals (1 query, 2 for the names where there are any)."""
    if query.contact_id is not None or not query.opportunities:
        return []
    rows = FieldHistory.objects.filter(
        query.older("valid_from"),
        KeyAmong("record_id", query.opportunities),
        record_type=RecordType.OPPORTUNITY,
        field="stage",
    ).exclude(value="")
    found = list(rows.order_by("-valid_from", "-pk")[: query.limit + 5])
    if not found:
        return []
    is_own = query.record_type == "opportunity"
    named = Opportunity.objects.filter(pk__in={row.record_id for row in found}).values_list("pk", "name")
    names = {} if is_own else dict(named)
    stages = Stage.objects.in_bulk({row.value for row in found}, field_name="slug")
    return [_stage_event(row, names.get(row.record_id, ""), stages.get(row.value)) for row in found]


def _stage_event(row: FieldHistory, deal: str, stage: Stage | None) -> TimelineEvent:
    tone = "ok" if stage is not None and stage.is_won else "bad" if stage is not None and stage.is_lost else ""
    return TimelineEvent(
        at=row.valid_from,
        kind=_K.DEAL,
        pk=row.pk,
        title=f"Stage: {stage.name if stage is not None else row.value}",
        icon="briefcase",
        about=deal,
        url=reverse("accounts:opportunity_detail", args=[row.record_id]),
        tone=tone or "info",
    )


def _purchases(query: TimelineQuery) -> list[TimelineEvent]:
    rows = _own(query, Purchase).filter(query.older("ordered_at"))
    rows = rows.select_related("product", "contact").order_by("-ordered_at", "-pk")
    rows = rows.only("ordered_at", "order_number", "product_text", "product__name", *CONTACT_NAMED)
    return [
        TimelineEvent(
            at=row.ordered_at,
            kind=_K.PURCHASE,
            pk=row.pk,
            title="Purchase",
            icon="receipt",
            about=" · ".join(
                part for part in (row.product.name if row.product else row.product_text, row.order_number) if part
            ),
            contact=row.contact,
        )
        for row in rows[: query.limit]
    ]


def _contract_starts(query: TimelineQuery) -> list[TimelineEvent]:
    rows = _own(query, Contract, has_contact=False)
    rows = rows.filter(query.older_days("starts_on"), starts_on__lte=timezone.localdate())
    rows = rows.select_related("product").order_by("-starts_on", "-pk")
    rows = rows.only("starts_on", "number", "product_text", "product__name")
    return [_contract_event(row, row.starts_on, "Contract started") for row in rows[: query.limit]]


def _contract_ends(query: TimelineQuery) -> list[TimelineEvent]:
    rows = _own(query, Contract, has_contact=False)
    rows = rows.filter(query.older_days("ends_on"), ends_on__lt=timezone.localdate())
    rows = rows.exclude(status=ContractStatus.DRAFT).select_related("product").order_by("-ends_on", "-pk")
    rows = rows.only("ends_on", "status", "number", "product_text", "product__name")
    words = {ContractStatus.RENEWED: "Contract renewed", ContractStatus.CANCELLED: "Contract cancelled"}
    return [_contract_event(row, row.ends_on, words.get(row.status, "Contract ended")) for row in rows[: query.limit]]


def _contract_event(row: Any, day: Any, title: str) -> TimelineEvent:
    product = row.product.name if row.product else row.product_text
    return TimelineEvent(
        at=day_start(day),
        kind=_K.PURCHASE,
        pk=row.pk,
        title=title,
        icon="file-certificate",
        about=" · ".join(part for part in (str(row), product) if part),
        has_time=False,
    )


def _cases_opened(query: TimelineQuery) -> list[TimelineEvent]:
    return _cases(query, "opened_at", "Support case opened")


def _cases_closed(query: TimelineQuery) -> list[TimelineEvent]:
    return _cases(query, "closed_at", "Support case closed")


def _cases(query: TimelineQuery, column: str, title: str) -> list[TimelineEvent]:
    rows = _own(query, SupportCase).filter(query.older(column))
    rows = rows.select_related("contact").order_by(f"-{column}", "-pk")
    rows = rows.only(column, "subject", "severity", *CONTACT_NAMED)
    return [
        TimelineEvent(
            at=getattr(row, column),
            kind=_K.SUPPORT,
            pk=row.pk,
            title=title,
            icon="lifebuoy",
            about=" · ".join(part for part in (str(row), row.get_severity_display()) if part),
            contact=row.contact,
        )
        for row in rows[: query.limit]
    ]


def _files(query: TimelineQuery) -> list[TimelineEvent]:
    rows = around(query, Attachment).filter(query.older("created_at"))
    rows = rows.select_related("uploaded_by", "contact").order_by("-created_at", "-pk")
    rows = rows.only("created_at", "name", *user_named("uploaded_by"), *CONTACT_NAMED)
    return [
        TimelineEvent(
            at=row.created_at,
            kind=_K.FILE,
            pk=row.pk,
            title="File added",
            icon="file-text",
            about=row.name,
            url=reverse("accounts:file_download", args=[row.pk]),
            by=row.uploaded_by.display_name if row.uploaded_by else "",
            contact=row.contact,
        )
        for row in rows[: query.limit]
    ]


def _status(query: TimelineQuery) -> list[TimelineEvent]:
    if query.record_type == "opportunity" or (query.contact_id is not None and query.record_type != "contact"):
        return []
    rows = FieldHistory.objects.filter(
        query.older("valid_from"), record_type=query.record_type, record_id=query.record.pk
    ).filter(field__in=[field for kind, field in _STATUS_LABELS if kind == query.record_type])
    events = []
    for row in rows.exclude(value="").order_by("-valid_from", "-pk")[: query.limit + 5]:
        value = _STATUS_LABELS[(query.record_type, row.field)].get(row.value, row.value)
        events.append(
            TimelineEvent(
                at=row.valid_from,
                kind=_K.STATUS,
                pk=row.pk,
                title=_STATUS_TITLES[row.field],
                icon="progress-check",
                about=f"{value}",
            )
        )
    return events


def _source(name: str, kind: TimelineKind, fetch: Any) -> TimelineSource:
    return TimelineSource(name, frozenset({str(kind)}), fetch)


RECORD_SOURCES = (
    _source("notes", _K.NOTE, _notes),
    _source("tasks", _K.TASK, _tasks),
    _source("deals", _K.DEAL, _deals),
    _source("purchases", _K.PURCHASE, _purchases),
    _source("contract_starts", _K.PURCHASE, _contract_starts),
    _source("contract_ends", _K.PURCHASE, _contract_ends),
    _source("cases_opened", _K.SUPPORT, _cases_opened),
    _source("cases_closed", _K.SUPPORT, _cases_closed),
    _source("files", _K.FILE, _files),
    _source("status", _K.STATUS, _status),
)
