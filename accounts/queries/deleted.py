"""Which deleted records a user sees: those the user would see were they live."""

from typing import Any

from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser, visibility

from ..models import Account, Contact
from .accounts import region_ids


def deleted_visible_to(user: AnyUser, model: Any) -> "QuerySet[Any]":
    """Return deleted records, not merged away nor erased, by owner or by their account's owner and territory."""
    rows = model.objects.filter(deleted_at__isnull=False, merged_into__isnull=True)
    if model is Contact:
        rows = rows.filter(erased_at__isnull=True)
    return _as_if_live(user, rows)


def may_see_merged_away(user: AnyUser, kept: Any, gone_id: int) -> bool:
    """Tell whether the user would see a record that was merged into `kept` were it live (1 query)."""
    return _as_if_live(user, type(kept).objects.filter(pk=gone_id)).exists()


def _as_if_live(user: AnyUser, rows: "QuerySet[Any]") -> "QuerySet[Any]":
    seen, model = visibility(user), rows.model
    if seen.nothing:
        return rows.none()
    if seen.everything:
        return rows
    at = "" if model is Account else "account__"
    allowed = Q(owner_id__in=seen.owner_ids)
    allowed |= Q(**{f"{at}owner_id__in": seen.owner_ids}) | Q(**{f"{at}sdr_id__in": seen.owner_ids})
    if seen.countries:
        allowed |= Q(**{f"{at}country__in": seen.countries})
    if seen.region_slugs:
        allowed |= Q(**{f"{at}sales_region_id__in": region_ids(seen.region_slugs)})
    if model is not Account and seen.unowned:
        allowed |= Q(account_id__isnull=True, owner_id__isnull=True)
    return rows.filter(allowed)
