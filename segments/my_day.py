"""What segments add to My day: accounts of one's own that entered a segment."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from segmentation_crm.common.among import KeyAmong
from segmentation_crm.common.models import User

from .choices import SegmentStatus
from .models import SegmentMembership
from .queries import segments_visible_to

ROWS = 8


def entered_segments(user: User, account_ids: Sequence[int], since: dt.datetime) -> dict[str, Any] | None:
    """Return the user's accounts that entered a segment after its first build (1 query); None without any."""
    rows = SegmentMembership.objects.filter(
        KeyAmong("account_id", account_ids),
        entered_at__gte=since,
        # A segment's first members were there before; they are no news.
        segment__created_at__lt=since,
        segment__in=segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED),
    )
    found = list(rows.select_related("account", "segment").order_by("-entered_at", "-pk")[:ROWS])
    if not found:
        return None
    return {
        "title": "Entered a segment",
        "rows": [
            {
                "label": row.account.name if row.account else "",
                "url": reverse("accounts:account_detail", args=[row.account_id]),
                "sub": row.segment.name,
                "at": row.entered_at,
            }
            for row in found
        ],
    }
