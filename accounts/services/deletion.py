"""Deleting records softly, and bringing them back."""

from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.services import audit

from ..models import Account, Contact, Opportunity
from .accounts import refresh_hierarchy

R = TypeVar("R", Account, Contact, Opportunity)


@transaction.atomic
def delete_record(record: R, actor: AnyUser | None = None) -> R:
    """Take a record out of every list, segment and figure; `restore_record` undoes it. Audited.

    Its rows (activities, purchases …) stay and come back with it.
    """
    if record.deleted_at is None:
        record.deleted_at = effective_now()
        record.save(update_fields=["deleted_at"])
        _follow(record)
        audit.record(actor, f"{record._meta.model_name}.deleted", record)
    return record


@transaction.atomic
def restore_record(record: R, actor: AnyUser | None = None) -> R:
    """Bring a deleted record back. Audited.

    Raises ValidationError naming the domain or e-mail address that another record has taken meanwhile.
    """
    if record.deleted_at is None:
        return record
    for model, name, words in ((Account, "domain", "domain"), (Contact, "email", "e-mail address")):
        if isinstance(record, model) and getattr(record, name):
            twin = model._default_manager.live().filter(**{name: getattr(record, name)}).first()
            if twin is not None:
                raise ValidationError({name: f"{twin} has this {words} now; change it there first."})
    record.deleted_at = None
    record.save(update_fields=["deleted_at"])
    _follow(record)
    audit.record(actor, f"{record._meta.model_name}.restored", record)
    return record


def _follow(record: Account | Contact | Opportunity) -> None:
    if isinstance(record, Account):
        refresh_hierarchy([record.pk])
