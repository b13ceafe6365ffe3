"""Technologies of accounts: kept by hand, verified, taken off and brought back."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.effective_time import effective_now

from ..choices import RecordType, SourceKind, SourceType, TechnologyStatus
from ..models import Account, AccountTechnology, Provenance, TechnologyProduct

EDITABLE = ("status", "first_seen", "last_verified", "confidence", "contract_ends", "source_type")


@transaction.atomic
def keep_technology(
    account: Account,
    product: TechnologyProduct,
    *,
    by: AnyUser | None = None,
    source_kind: str = "",
    **values: Any,
) -> AccountTechnology:
    """Keep that an account uses a technology, verified today; one that is kept already is verified anew (2–3 queries).

    A former one is in use again. Raises ValidationError naming the wrong field.
    """
    today = timezone.localdate(effective_now())
    row = AccountTechnology.objects.filter(account=account, product=product).first()
    if row is None:
        row = AccountTechnology(account=account, product=product, first_seen=today, source_type=SourceType.PRIMARY)
    elif row.status == TechnologyStatus.FORMER:
        row.status = TechnologyStatus.IN_USE
    row.last_verified = today
    return change_technology(row, by, source_kind=source_kind, **values)


@transaction.atomic
def change_technology(
    row: AccountTechnology, by: AnyUser | None = None, *, source_kind: str | None = None, **values: Any
) -> AccountTechnology:
    """Change what is known of a technology of an account (1–3 queries).

    `values` are of EDITABLE. Raises ValidationError naming the wrong field.
    """
    for name, value in values.items():
        setattr(row, name, value)
    errors = {}
    if row.status not in TechnologyStatus.values:
        errors["status"] = f"status must be one of: {', '.join(TechnologyStatus.values)}."
    if row.source_type and row.source_type not in SourceType.values:
        errors["source_type"] = f"source_type must be one of: {', '.join(SourceType.values)}."
    if row.confidence is not None and not 0 <= row.confidence <= 1:
        errors["confidence"] = "The confidence is a fraction from 0 to 1."
    if row.first_seen and row.last_verified and row.last_verified < row.first_seen:
        errors["last_verified"] = "It cannot have been verified before it was first seen."
    if source_kind and source_kind not in SourceKind.values:
        errors["source_kind"] = f"source_kind must be one of: {', '.join(SourceKind.values)}."
    if errors:
        raise ValidationError(errors)
    row.save()
    if source_kind:
        Provenance.objects.update_or_create(
            record_type=RecordType.TECHNOLOGY,
            record_id=row.pk,
            field="product",
            defaults={
                "kind": source_kind,
                "source_type": row.source_type,
                "observed_on": row.last_verified,
                "confidence": row.confidence,
            },
        )
    return row


@transaction.atomic
def drop_technology(row: AccountTechnology, by: AnyUser | None = None) -> dict[str, Any]:
    """Take a technology off an account; returns what `restore_technology` takes."""
    kept = technology_values(row)
    row.delete()
    return kept


@transaction.atomic
def restore_technology(kept: dict[str, Any]) -> AccountTechnology:
    """Bring a technology back as it was (2 queries); one that was kept anew meanwhile gets these values."""
    row = AccountTechnology.objects.filter(account=kept["account_id"], product=kept["product_id"]).first()
    row = row or AccountTechnology(account_id=kept["account_id"], product_id=kept["product_id"])
    values: dict[str, Any] = {name: kept[name] for name in ("status", "source_type")}
    for name in ("first_seen", "last_verified", "contract_ends"):
        values[name] = dt.date.fromisoformat(kept[name]) if kept[name] else None
    values["confidence"] = Decimal(kept["confidence"]) if kept["confidence"] is not None else None
    return change_technology(row, **values)


def technology_values(row: AccountTechnology) -> dict[str, Any]:
    """Return a technology's values as plain JSON values."""
    found: dict[str, Any] = {name: getattr(row, name) for name in EDITABLE}
    for name in ("first_seen", "last_verified", "contract_ends"):
        found[name] = found[name].isoformat() if found[name] else None
    found["confidence"] = str(row.confidence) if row.confidence is not None else None
    return {**found, "account_id": row.account_id, "product_id": row.product_id}
