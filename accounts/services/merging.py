"""Merging two records into one, field by field, and taking a merge back.

The gone record stays as a row that names the kept one (`merged_into`); lists, search and rules leave it out and its old
address leads to the kept one. Its history of fields and its log of changes stay with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.extensions import merge_handlers
from segmentation_crm.common.folding import FoldedField
from segmentation_crm.common.models import User
from segmentation_crm.common.services import audit

from ..choices import ChangeAction, ConsentStatus, Deliverability
from ..models import Account, Consent, Contact, ContactAccount, CustomField, Opportunity, RecordMerge
from . import accounts, contacts, opportunities
from .changes import is_empty, logged_fields, plain, record_act
from .merge_rows import Moved, move_back, move_rows, move_sources

KEPT, GONE = "kept", "gone"
CUSTOM = "custom."
# Worse beats better: mail to an address that bounced once is not tried again because of a merge.
_CAUTION = [Deliverability.VALID, Deliverability.UNKNOWN]
_LEFT_OUT = frozenset({"id", "version", "created_at", "updated_at", "merged_into_id", "deleted_at"})


@dataclass
class FieldChoice:
    """One field of both records: their values as the log keeps them, and which one is proposed."""

    name: str
    kept: Any
    gone: Any
    proposed: str
    fixed: str = ""

    @property
    def differs(self) -> bool:
        """Tell whether there is something to choose."""
        return self.kept != self.gone and not (is_empty(self.kept) and is_empty(self.gone))


def field_choices(kept: Any, gone: Any) -> list[FieldChoice]:
    """Return the fields that either record has, differing ones first; filled beats empty, newer beats older.

    `fixed` says why a choice is not open: a wish not to be contacted always stays (4 queries).
    """
    newer = GONE if gone.updated_at > kept.updated_at else KEPT
    found = []
    for field in logged_fields(type(kept)):
        one, other = plain(field, getattr(kept, field.attname)), plain(field, getattr(gone, field.attname))
        if is_empty(one) and is_empty(other):
            continue
        proposed = GONE if is_empty(one) else KEPT if is_empty(other) else newer
        choice = FieldChoice(field.name, one, other, proposed)
        _fix(choice)
        found.append(choice)
    standing, theirs = _custom_rows(kept), _custom_rows(gone)
    for definition in CustomField.objects.filter(pk__in={*standing, *theirs}).exclude(type="multi"):
        one, other = (rows.get(definition.pk, [None])[0] for rows in (standing, theirs))
        values = [None if row is None else str(row) for row in (one, other)]
        proposed = GONE if one is None else KEPT if other is None else newer
        found.append(FieldChoice(f"{CUSTOM}{definition.key}", values[0], values[1], proposed))
    return sorted(found, key=lambda choice: not choice.differs)


def _fix(choice: FieldChoice) -> None:
    if choice.name == "do_not_contact" and choice.differs:
        choice.proposed = KEPT if choice.kept else GONE
        choice.fixed = "“Do not contact” always stays."
    if choice.name == "deliverability" and choice.differs:
        good = [str(one) for one in _CAUTION]
        worse = KEPT if choice.kept not in good else GONE if choice.gone not in good else ""
        if worse:
            choice.proposed, choice.fixed = worse, "The more careful one always stays."


def _custom_rows(record: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in record.custom_values.select_related("definition").order_by("pk"):
        found.setdefault(row.definition_id, []).append(row)
    return found


@transaction.atomic
def merge_records(kept: Any, gone: Any, choices: Mapping[str, str], actor: AnyUser | None = None) -> RecordMerge:
    """Make two live records of one kind one, in one transaction; `undo_merge` takes it back. Audited.

    choices: field -> "kept" or "gone"; fields not named follow `field_choices`. Costs ~3 queries a table that points
    at such records. Raises ValidationError with words.
    """
    model: Any = type(kept)
    if type(gone) is not model or kept.pk == gone.pk:
        raise ValidationError("Choose two different records of the same kind.")
    rows = {row.pk: row for row in model.objects.live().select_for_update().filter(pk__in=[kept.pk, gone.pk])}
    if len(rows) < 2:
        raise ValidationError("One of the two records was deleted or merged a moment ago. Look again.")
    kept, gone = rows[kept.pk], rows[gone.pk]
    taken = {
        choice.name
        for choice in field_choices(kept, gone)
        if (choice.proposed if choice.fixed else choices.get(choice.name, choice.proposed)) == GONE
    }
    moved, before = Moved(), _columns(kept)
    withdrawals = _withdrawals(kept, gone) if model is Contact else []
    leave = _settle_custom(kept, gone, taken, moved)
    # The gone one leaves first: its domain or address becomes free.
    model.objects.filter(pk=gone.pk).update(
        merged_into=kept, version=models.F("version") + 1, updated_at=effective_now()
    )
    move_rows(kept, gone, moved, leave)
    move_sources(kept, gone, taken, moved)
    _take_values(kept, gone, taken)
    if withdrawals:
        made = Consent.objects.bulk_create(withdrawals)
        moved.added[Consent._meta.label] += [row.pk for row in made]
    _follow(kept, gone, moved)
    kept = model.objects.get(pk=kept.pk)
    after = _columns(kept)
    merge = RecordMerge.objects.create(
        record_type=kept._meta.model_name,
        kept_id=kept.pk,
        gone_id=gone.pk,
        at=effective_now(),
        actor=actor if isinstance(actor, User) else None,
        choices=dict.fromkeys(sorted(taken), GONE),
        before={name: {"old": before[name], "new": after[name]} for name in before if before[name] != after[name]},
        moved=moved.as_json(),
    )
    _log(kept, gone, merge, actor)
    return merge


def _log(kept: Any, gone: Any, merge: RecordMerge, actor: AnyUser | None) -> None:
    kind = merge.record_type
    by_attname = {field.attname: field.name for field in logged_fields(type(kept))}
    changed = [{"field": by_attname[name], **pair} for name, pair in merge.before.items() if name in by_attname]
    record_act(kind, kept.pk, ChangeAction.MERGED, changed)
    record_act(kind, gone.pk, ChangeAction.MERGED, [])
    audit.record(actor, f"{kind}.merged", kept, gone=gone.pk, gone_name=str(gone)[:200], merge=merge.pk)
    for handler in merge_handlers:
        handler(kind, kept.pk, gone.pk)


def _columns(record: Any) -> dict[str, Any]:
    """Return every stored column of a record as JSON, but for its number, version and times."""
    return {
        field.attname: plain(field, getattr(record, field.attname))
        for field in record._meta.concrete_fields
        if field.attname not in _LEFT_OUT and not getattr(field, "generated", False)
    }


def _settle_custom(kept: Any, gone: Any, taken: set[str], moved: Moved) -> dict[str, list[int]]:
    """Of custom fields with one value the chosen one stays; returns the rows that are left with the gone record."""
    standing, theirs = _custom_rows(kept), _custom_rows(gone)
    leave: list[int] = []
    for pk, rows in theirs.items():
        definition = rows[0].definition
        if definition.type == "multi":
            continue
        if f"{CUSTOM}{definition.key}" in taken:
            moved.drop(standing.get(pk, []))
        else:
            leave += [row.pk for row in rows]
    return {gone.custom_values.model._meta.label: leave}


def _take_values(kept: Any, gone: Any, taken: set[str]) -> None:
    """Write the chosen values and what follows from them, without the signals of a save (2 queries)."""
    for field in logged_fields(type(kept)):
        if field.name in taken:
            setattr(kept, field.attname, getattr(gone, field.attname))
    if isinstance(kept, Account):
        _settle_parent(kept, gone)
    _compute(kept)
    _write_columns(kept)


def _compute(record: Any) -> None:
    match record:
        case Account():
            accounts.fill_computed(record)
        case Contact():
            contacts.fill_computed(record)
        case Opportunity():
            opportunities.fill_computed(record)


def _write_columns(record: Any) -> None:
    """Write all columns of a record as they stand; no signals (1 query)."""
    record.version += 1
    record.updated_at = effective_now()
    values = {}
    for field in record._meta.concrete_fields:
        if field.primary_key or getattr(field, "generated", False):
            continue
        if isinstance(field, FoldedField):
            field.pre_save(record, False)
        values[field.attname] = getattr(record, field.attname)
    type(record)._base_manager.filter(pk=record.pk).update(**values)


def _settle_parent(kept: Account, gone: Account) -> None:
    """Keep the hierarchy free of circles: a parent that is one of the two, or lies below, is not taken."""
    if kept.parent_account_id == gone.pk:
        kept.parent_account_id = gone.parent_account_id
    try:
        if kept.parent_account_id == kept.pk:
            kept.parent_account_id = None
        kept.clean()
    except ValidationError:
        kept.parent_account_id = None
    # Children of the gone account are the kept one's now; one of them may stand above it.
    seen: set[int] = set()
    above = kept.parent_account_id
    while above is not None and above not in seen:
        seen.add(above)
        if above == kept.pk:
            kept.parent_account_id = None
            break
        above = Account.objects.filter(pk=above).values_list("parent_account_id", flat=True).first()


def _withdrawals(kept: Contact, gone: Contact) -> list[Consent]:
    """Return the consents to add so that what either withdrew stays withdrawn, whatever the other gave (1 query)."""
    latest: dict[tuple[int, int | None, str], Consent] = {}
    rows = Consent.objects.filter(contact__in=[kept, gone]).order_by(models.F("at").asc(nulls_first=True), "pk")
    for row in rows:
        latest[(row.contact_id, row.topic_id, row.channel)] = row
    final: dict[tuple[int | None, str], Consent] = {}
    for (_, topic, channel), row in latest.items():
        held = final.get((topic, channel))
        if held is None or (row.at is not None and (held.at is None or row.at >= held.at)):
            final[(topic, channel)] = row
    refused = {
        (topic, channel): row
        for (_, topic, channel), row in latest.items()
        if row.status in (ConsentStatus.WITHDRAWN, ConsentStatus.DENIED)
        and final[(topic, channel)].status == ConsentStatus.GRANTED
    }
    return [
        Consent(
            contact=kept, topic_id=topic, channel=channel, status=row.status, legal_basis=row.legal_basis,
            obtained_by="Merge of two contacts", proof=row.proof, source=row.source, at=effective_now(),
        )
        for (topic, channel), row in refused.items()
    ]  # fmt: skip


def _follow(kept: Any, gone: Any, moved: Moved) -> None:
    """Let hierarchy and employments follow; rows that this adds are noted."""
    if isinstance(kept, Account):
        accounts.refresh_hierarchy([kept.pk, gone.pk])
    if isinstance(kept, Contact):
        had = set(ContactAccount.objects.filter(contact=kept).values_list("pk", flat=True))
        contacts.link_primary_accounts([kept.pk])
        now = ContactAccount.objects.filter(contact=kept).exclude(pk__in=had)
        moved.added[ContactAccount._meta.label] += list(now.values_list("pk", flat=True))


@transaction.atomic
def undo_merge(merge: RecordMerge, actor: AnyUser | None = None) -> list[str]:
    """Take a merge back: rows return, the kept record's columns where nobody changed them since. Audited.

    Returns the columns that were changed since and stay. Raises ValidationError where it was undone already, where
    the kept record was merged itself, or where another record has taken the gone one's domain or address.
    """
    merge = RecordMerge.objects.select_for_update().get(pk=merge.pk)
    model: Any = {"account": Account, "contact": Contact, "opportunity": Opportunity}[merge.record_type]
    kept = model.objects.live().filter(pk=merge.kept_id).first()
    gone = model.objects.filter(pk=merge.gone_id, merged_into=merge.kept_id).first()
    if merge.undone_at is not None or kept is None or gone is None:
        raise ValidationError("This merge was undone already, or the record that was kept is gone itself.")
    left = _restore(kept, merge.before)
    gone.merged_into = None
    try:
        kept.validate_constraints()
        if left:
            _compute(kept)
        _write_columns(kept)
        gone.validate_constraints()
    except ValidationError as error:
        raise ValidationError([*error.messages, "Change it there first, then undo the merge."]) from None
    model.objects.filter(pk=gone.pk).update(
        merged_into=None, version=models.F("version") + 1, updated_at=effective_now()
    )
    move_back(kept, gone, Moved(merge.moved))
    if model is Account:
        accounts.refresh_hierarchy([kept.pk, gone.pk])
    merge.undone_at = effective_now()
    merge.save(update_fields=["undone_at"])
    back = [{"field": name.removesuffix("_id"), "old": pair["new"], "new": pair["old"]}
            for name, pair in merge.before.items() if name not in left and name in _logged(model)]  # fmt: skip
    record_act(merge.record_type, kept.pk, ChangeAction.UNMERGED, back)
    record_act(merge.record_type, gone.pk, ChangeAction.UNMERGED, [])
    audit.record(actor, f"{merge.record_type}.merge_undone", kept, gone=gone.pk, merge=merge.pk)
    for handler in merge_handlers:
        handler(merge.record_type, kept.pk, gone.pk)
    return [name for name in left if name in _logged(model)]


def _logged(model: Any) -> set[str]:
    return {field.attname for field in logged_fields(model)}


def _restore(kept: Any, before: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Set the columns that still hold what the merge wrote back; returns the others."""
    left = []
    for field in kept._meta.concrete_fields:
        pair = before.get(field.attname)
        if pair is None:
            continue
        if plain(field, getattr(kept, field.attname)) != pair["new"]:
            left.append(field.attname)
            continue
        value = pair["old"]
        setattr(kept, field.attname, value if isinstance(field, models.ForeignKey) else field.to_python(value))
    return left
