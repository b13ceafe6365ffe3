"""Which accounts a user sees."""

from django.db.models import Q, QuerySet

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
    allowed = Q(owner_id__in=seen.owner_ids) | Q(sdr_id__in=seen.owner_ids)
    if seen.countries:
        allowed |= Q(country__in=seen.countries)
    if seen.region_slugs:
        if "region_ids" not in seen.found:
            seen.found["region_ids"] = region_ids(seen.region_slugs)
        allowed |= Q(sales_region_id__in=seen.found["region_ids"])
    return live.filter(allowed)


def region_ids(slugs: frozenset[str]) -> list[int]:
    """Return the ids of the sales regions at or under the nodes with these slugs (1 query)."""
    regions = list(Term.objects.filter(vocabulary=Vocabulary.SALES_REGION).order_by().values_list("id", "slug", "path"))
    roots = tuple(path for _, slug, path in regions if slug in slugs)
    return [pk for pk, _, path in regions if roots and path.startswith(roots)]
