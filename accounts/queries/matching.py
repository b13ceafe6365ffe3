"""What waits for matching, as far as a user may see it."""

from collections import Counter
from dataclasses import dataclass

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser

from ..models import Contact
from .accounts import accounts_visible_to
from .contacts import contacts_visible_to

# Domains are counted among so many waiting contacts, the newest first, so that the page costs the same at any size.
LOOKED_AT = 5000


@dataclass(frozen=True)
class DomainGroup:
    """An e-mail domain that no account has, how many waiting contacts have it, and some of their names."""

    domain: str
    count: int
    people: list[str]


def unmatched_visible_to(user: AnyUser) -> QuerySet[Contact]:
    """Return the contacts without account that the user sees, newest first."""
    return contacts_visible_to(user).filter(account__isnull=True).order_by("-pk")


def proposals_visible_to(user: AnyUser) -> QuerySet[Contact]:
    """Return those with a proposed account that the user sees too."""
    seen = accounts_visible_to(user).values("pk")
    return (
        unmatched_visible_to(user)
        .filter(proposed_account__isnull=False, proposed_account__in=seen)
        .select_related("proposed_account")
    )


def waiting_domains(user: AnyUser, free_mail: frozenset[str], limit: int = 100) -> tuple[list[DomainGroup], bool]:
    """Return the domains of waiting contacts, the most frequent first, and whether not all contacts were looked at.

    1 query of at most 5,000 rows.
    """
    rows = unmatched_visible_to(user).exclude(email_domain="").exclude(email_domain__in=free_mail)
    found = list(rows.values_list("email_domain", "first_name", "last_name", "email")[: LOOKED_AT + 1])
    counts = Counter(row[0] for row in found[:LOOKED_AT])
    people: dict[str, list[str]] = {}
    for domain, first, last, email in found[:LOOKED_AT]:
        names = people.setdefault(domain, [])
        if len(names) < 3:
            names.append(f"{first} {last}".strip() or email)
    groups = [DomainGroup(domain, count, people[domain]) for domain, count in counts.most_common(limit)]
    return groups, len(found) > LOOKED_AT
