"""Needs of accounts and contacts: stated by people, inferred by machines, confirmed, rejected.

Stated beats inferred: an inference never changes a need that somebody stated. A rejected inference stays rejected: it
is not inferred again; a person may state the need, which takes the rejection back.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now

from ..choices import INFERRED_EVIDENCE, NeedEvidence, NeedKind, RecordType, SourceKind, SourceType, Vocabulary
from ..models import Account, Contact, Need, Provenance, Term

EDITABLE = ("kind", "priority", "evidence", "source_type", "confidence", "confirmed_on", "rejected_on")


def is_inferred(evidence: str) -> bool:
    """Tell whether the evidence is an inference of ours, not something that people said."""
    return evidence in INFERRED_EVIDENCE


@transaction.atomic
def state_need(
    owner: Account | Contact,
    term: Term,
    *,
    evidence: str = NeedEvidence.STATED,
    source_kind: str = "",
    by: AnyUser | None = None,
    **values: Any,
) -> Need:
    """Keep a need that a person stated; an inference of it becomes stated, a rejection is taken back (2–4 queries).

    `values` are kind, priority, source_type, confidence. Raises ValidationError naming the wrong field.
    """
    _check_term(term)
    if is_inferred(evidence):
        raise ValidationError({"evidence": "What a person states is no inference: use stated, survey or interview."})
    need = _held(owner, term) or Need(need=term, **{_column(owner): owner})
    if need._state.adding or is_inferred(need.evidence) or need.rejected_on is not None:
        need.evidence, need.rejected_on = evidence, None
        # Somebody said so: that is first-hand until told otherwise.
        need.source_type = values.pop("source_type", "") or SourceType.PRIMARY
    for name, value in values.items():
        setattr(need, name, value)
    need.confirmed_on = need.confirmed_on or _today()
    _save(need)
    note_source(need, source_kind, need.confirmed_on)
    return need


@transaction.atomic
def infer_need(
    owner: Account | Contact,
    term: Term,
    evidence: str,
    *,
    confidence: Decimal | float | None = None,
) -> Need | None:
    """Keep an inferred need; returns None where it was stated or rejected before, which stands (1–2 queries).

    Raises ValidationError for an evidence that is no inference.
    """
    _check_term(term)
    if not is_inferred(evidence):
        raise ValidationError({"evidence": f"An inference is one of: {', '.join(sorted(INFERRED_EVIDENCE))}."})
    need = _held(owner, term)
    if need is not None and (need.rejected_on is not None or not is_inferred(need.evidence)):
        return None
    need = need or Need(need=term, **{_column(owner): owner})
    need.evidence, need.confidence = evidence, _fraction(confidence)
    _save(need)
    return need


@transaction.atomic
def change_need(need: Need, by: AnyUser | None = None, *, source_kind: str | None = None, **values: Any) -> Need:
    """Change what is known of a need (1–3 queries).

    `values` are of EDITABLE. Raises ValidationError naming the field that breaks a rule.
    """
    for name, value in values.items():
        setattr(need, name, value)
    need.clean()
    _save(need)
    if source_kind is not None:
        note_source(need, source_kind, need.confirmed_on)
    return need


@transaction.atomic
def drop_need(need: Need, by: AnyUser | None = None) -> dict[str, Any]:
    """Take a need off the record; an inferred one is rejected instead, so that it is not inferred again.

    Returns what `restore_need` takes.
    """
    kept = need_values(need)
    if is_inferred(need.evidence):
        need.rejected_on, need.confirmed_on = _today(), None
        _save(need)
    else:
        need.delete()
    return kept


@transaction.atomic
def restore_need(kept: dict[str, Any]) -> Need:
    """Bring a need back as it was (1–2 queries). Raises ValidationError where its values no longer fit."""
    owner = {"account_id": kept["account_id"]} if kept["account_id"] else {"contact_id": kept["contact_id"]}
    need = Need.objects.filter(need=kept["need_id"], **owner).first() or Need(need_id=kept["need_id"], **owner)
    for name in EDITABLE:
        value = kept[name]
        if name.endswith("_on") and value:
            value = dt.date.fromisoformat(value)
        setattr(need, name, Decimal(value) if name == "confidence" and value is not None else value)
    _save(need)
    return need


def need_values(need: Need) -> dict[str, Any]:
    """Return a need's values as plain JSON values."""
    found: dict[str, Any] = {name: getattr(need, name) for name in EDITABLE}
    for name in ("confirmed_on", "rejected_on"):
        found[name] = found[name].isoformat() if found[name] else None
    found["confidence"] = str(need.confidence) if need.confidence is not None else None
    return {**found, "account_id": need.account_id, "contact_id": need.contact_id, "need_id": need.need_id}


def note_source(need: Need, source_kind: str, observed_on: dt.date | None) -> None:
    """Keep where a need is known from, as provenance of the row (1–2 queries)."""
    if source_kind and source_kind not in SourceKind.values:
        raise ValidationError({"source_kind": f"source_kind must be one of: {', '.join(SourceKind.values)}."})
    if not source_kind:
        return
    Provenance.objects.update_or_create(
        record_type=RecordType.NEED,
        record_id=need.pk,
        field="need",
        defaults={
            "kind": source_kind,
            "source_type": need.source_type,
            "observed_on": observed_on,
            "confidence": need.confidence,
        },
    )


def _held(owner: Account | Contact, term: Term) -> Need | None:
    return Need.objects.filter(need=term, **{_column(owner): owner}).first()


def _column(owner: Account | Contact) -> str:
    return str(owner._meta.model_name)


def _check_term(term: Term) -> None:
    if term.vocabulary != Vocabulary.NEED:
        raise ValidationError({"need": f"“{term.name}” is no need; choose one of that vocabulary."})


def _fraction(value: Decimal | float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value)).quantize(Decimal("0.000001"))


def _save(need: Need) -> None:
    errors = {}
    for name, choices in (("kind", NeedKind), ("evidence", NeedEvidence), ("source_type", SourceType)):
        if getattr(need, name) and getattr(need, name) not in choices.values:
            errors[name] = f"{name} must be one of: {', '.join(choices.values)}."
    if need.priority is not None and not 1 <= need.priority <= 5:
        errors["priority"] = "The priority lies between 1, the highest, and 5."
    if need.confidence is not None and not 0 <= need.confidence <= 1:
        errors["confidence"] = "The confidence is a fraction from 0 to 1."
    if errors:
        raise ValidationError(errors)
    need.save()


def _today() -> dt.date:
    return timezone.localdate(effective_now())
