"""Which accounts a user sees."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from segmentation_crm.common.access import AnyUser, Visibility, visibility

from ..choices import Vocabulary
from ..models import Account, Term


def accounts_visible_to(user: AnyUser) -> "QuerySet[Account]":
    """Return the live accounts the user sees: all, or by owner, SDR and territory (up to 3 queries to build)."""
    return accounts_seen(visibility(user))


def accounts_seen(seen: Visibility) -> "QuerySet[Account]":
    """Return the live accounts of a visibility (1 query to build where it has sales regions)."""
    if seen.nothing:
        return Account.objects.none()
    live = Account.objects.live()
    if seen.everything:
        return live
    if "accounts" in seen.found:
        return seen.found["accounts"].all()  # type: ignore[no-any-return]
    allowed = Q(owner_id__in=seen.owner_ids) | Q(sdr_id__in=seen.owner_ids)
    if seen.countries:
        allowed |= Q(country__in=seen.countries)
    if seen.region_slugs:
        if "region_ids" not in seen.found:
            seen.found["region_ids"] = region_ids(seen.region_slugs)
        allowed |= Q(sales_region_id__in=seen.found["region_ids"])
    # Kept unevaluated, as long as the visibility itself: a page asks for it dozens of times.
    seen.found["accounts"] = live.filter(allowed)
    return seen.found["accounts"].all()  # type: ignore[no-any-return]


def account_is_seen(seen: Visibility) -> Q:
    """Return the condition that `account_id` is an account of a visibility that does not see everything.

    Owner and SDR are asked apart: each answer comes from an index alone, while PostgreSQL reads the accounts themselves
    for both together (1 query to build where it has sales regions).
    """
    account = Account.objects.live().filter(pk=OuterRef("account_id"))
    found = Q(Exists(account.filter(owner_id__in=seen.owner_ids)))
    found |= Q(Exists(account.filter(sdr_id__in=seen.owner_ids)))
    if seen.countries:
        found |= Q(Exists(account.filter(country__in=seen.countries)))
    if seen.region_slugs:
        if "region_ids" not in seen.found:
            seen.found["region_ids"] = region_ids(seen.region_slugs)
        found |= Q(Exists(account.filter(sales_region_id__in=seen.found["region_ids"])))
    return found


def region_ids(slugs: frozenset[str]) -> list[int]:
    """Return the ids of the sales regions at or under the nodes with these slugs (1 query)."""
    regions = list(Term.objects.filter(vocabulary=Vocabulary.SALES_REGION).order_by().values_list("id", "slug", "path"))
    roots = tuple(path for _, slug, path in regions if slug in slugs)
    return [pk for pk, _, path in regions if roots and path.startswith(roots)]
