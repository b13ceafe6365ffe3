"""What a user opened lately. Names are looked up when shown, among what the user may see now."""

from typing import Any

from ..common.effective_time import effective_now
from ..common.extensions import search_providers
from ..common.models import RecentItem, User

KEPT = 30


def remember(user: User, kind: str, key: int) -> bool:
    """Note that the user opened a record; False for a kind or record that is not there for them (2 to 4 queries)."""
    finder = next((finder for finder in search_providers if finder.kind == kind), None)
    if finder is None or key not in finder.by_key(user, [key]):
        return False
    row = RecentItem(user=user, kind=kind, object_id=key, at=effective_now())
    RecentItem.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["user", "kind", "object_id"], update_fields=["at"]
    )
    kept = RecentItem.objects.filter(user=user).order_by("-at", "-pk").values_list("pk", flat=True)[:KEPT]
    RecentItem.objects.filter(user=user).exclude(pk__in=list(kept)).delete()
    return True


def recent_items(user: User, limit: int) -> list[dict[str, Any]]:
    """Return what the user opened lately and may still see, the latest first (1 query and 1 a kind)."""
    rows = list(RecentItem.objects.filter(user=user).order_by("-at", "-pk")[:KEPT])
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for finder in search_providers:
        keys = [row.object_id for row in rows if row.kind == finder.kind]
        if keys:
            found |= {(finder.kind, key): hit for key, hit in finder.by_key(user, keys).items()}
    return [found[row.kind, row.object_id] for row in rows if (row.kind, row.object_id) in found][:limit]
