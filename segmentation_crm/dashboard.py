"""The dashboard of the first page, kept for ten minutes for each view of the records."""

import hashlib
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.core.cache import cache
from django.utils import timezone

from accounts.queries.dashboard import Dashboard, dashboard

from .common.access import visibility
from .common.local_time import LocalDay
from .common.models import Organisation, User

KEPT_SECONDS = 600


def kept_dashboard(user: User, fresh: bool = False) -> tuple[Dashboard, datetime]:
    """Return the figures and the moment they were counted; counts anew when asked or when they are too old."""
    seen = _sight(user)
    today = LocalDay.today(ZoneInfo(Organisation.current().time_zone)).date
    key = f"dashboard:2:{seen}:{today}"
    kept: Any = None if fresh else cache.get(key)
    if kept is None:
        kept = (dashboard(user, today), timezone.now())
        cache.set(key, kept, KEPT_SECONDS)
    return kept


def _sight(user: User) -> str:
    """Return what the figures depend on: who sees the same has the same, who sees less from now on has others."""
    seen = visibility(user)
    if seen.everything:
        return "all"
    parts = [seen.unowned, *(sorted(part) for part in (seen.owner_ids, seen.countries, seen.region_slugs))]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
