"""What counts as engagement: inbound, not suspected as bot, no mere delivery (GLOSSARY §4)."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Max, Q, QuerySet
from django.utils import timezone

from segmentation_crm.common.effective_time import effective_now

from ..choices import ENGAGED_EXCLUDED_TYPES, Direction
from ..models import Activity

ENGAGED = Q(direction=Direction.INBOUND, bot_suspected=False) & ~Q(type__in=[str(t) for t in ENGAGED_EXCLUDED_TYPES])
WINDOW_DAYS = 90


def window_start(days: int = WINDOW_DAYS) -> dt.datetime:
    """Return the local midnight so many days back, as rules count windows."""
    local = timezone.localtime(effective_now()) - dt.timedelta(days=days)
    return local.replace(hour=0, minute=0, second=0, microsecond=0)


def engaged_contacts(activities: "QuerySet[Activity]", contact_ids: Iterable[int]) -> dict[int, dt.datetime]:
    """Return when each of the contacts engaged last, within 90 days, by these activities (1 query)."""
    rows = activities.filter(ENGAGED, contact_id__in=list(contact_ids), occurred_at__gte=window_start())
    return dict(rows.order_by().values_list("contact_id").annotate(last=Max("occurred_at")))
