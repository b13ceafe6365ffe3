"""What the search box finds among accounts, contacts and opportunities."""

from typing import Any

from django.db.models import Q
from django.urls import reverse

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.folding import fold

from .queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to


def find_accounts(user: AnyUser, text: str, limit: int) -> list[dict[str, Any]]:
    """Return accounts by name or domain (1 query and those of visibility)."""
    folded = fold(text)
    rows = accounts_visible_to(user).filter(Q(name_folded__contains=folded) | Q(domain_folded__contains=folded))
    return [
        {
            "kind": "account",
            "label": row.name,
            "sub": " · ".join(part for part in (row.domain, row.city) if part),
            "url": reverse("accounts:account_detail", args=[row.pk]),
            "shape": "company",
        }
        for row in rows.order_by("name_folded", "pk")[:limit]
    ]


def find_contacts(user: AnyUser, text: str, limit: int) -> list[dict[str, Any]]:
    """Return contacts by name or e-mail address (1 query and those of visibility)."""
    folded = fold(text)
    rows = contacts_visible_to(user).filter(Q(full_name_folded__contains=folded) | Q(email_folded__contains=folded))
    return [
        {
            "kind": "contact",
            "label": row.name,
            "sub": " · ".join(part for part in (row.job_title, row.email) if part),
            "url": reverse("accounts:contact_detail", args=[row.pk]),
            "shape": "person",
        }
        for row in rows.order_by("full_name_folded", "pk")[:limit]
    ]


def find_opportunities(user: AnyUser, text: str, limit: int) -> list[dict[str, Any]]:
    """Return opportunities by name (1 query and those of visibility)."""
    rows = opportunities_visible_to(user).filter(name_folded__contains=fold(text)).select_related("stage")
    return [
        {
            "kind": "opportunity",
            "label": row.name,
            "sub": row.stage.name if row.stage else "",
            "url": reverse("accounts:opportunity_detail", args=[row.pk]),
        }
        for row in rows.order_by("name_folded", "pk")[:limit]
    ]
