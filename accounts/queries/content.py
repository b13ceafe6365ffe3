"""What the people of a record read, watched and visited: items with counts, topics ranked."""

from typing import Any

from django.db.models import Count, Max

from segmentation_crm.common.access import AnyUser

from ..choices import ActivityType
from ..models import Account, Activity, Contact, ContentItem, Term
from .at_record import rows_at

CONSUMED = (
    ActivityType.CONTENT_VIEW,
    ActivityType.CONTENT_DOWNLOAD,
    ActivityType.PAGE_VIEW,
    ActivityType.WEBINAR_ATTENDED,
    ActivityType.EVENT_ATTENDED,
    ActivityType.EMAIL_CLICK,
    ActivityType.FORM_SUBMIT,
)


def consumed(user: AnyUser, record: Account | Contact) -> Any:
    """Return the activities by which content of ours was consumed at a record."""
    rows = rows_at(user, record, Activity).filter(bot_suspected=False)
    return rows.filter(content__isnull=False, type__in=CONSUMED)


def content_items(user: AnyUser, record: Account | Contact, limit: int = 50) -> list[dict[str, Any]]:
    """Return the items consumed: how often, by how many people, when last; the latest first (3 queries)."""
    rows = consumed(user, record).order_by().values("content_id")
    counted = rows.annotate(times=Count("pk"), people=Count("contact", distinct=True), last=Max("occurred_at"))
    found = list(counted.order_by("-last", "content_id")[:limit])
    items = ContentItem.objects.prefetch_related("topics").in_bulk([row["content_id"] for row in found])
    return [{**row, "item": items[row["content_id"]]} for row in found]


def topics_ranked(user: AnyUser, record: Account | Contact, limit: int = 10) -> list[dict[str, Any]]:
    """Return the topics of interest by how many activities touched them (3 queries)."""
    items = consumed(user, record).order_by()
    by_content = items.filter(content__topics__isnull=False).values("content__topics")
    own = rows_at(user, record, Activity).filter(bot_suspected=False)
    by_topic = own.filter(topic__isnull=False).order_by().values("topic")
    counts: dict[int, int] = {}
    sources: tuple[tuple[str, Any], ...] = (("content__topics", by_content), ("topic", by_topic))
    for key, rows in sources:
        for row in rows.annotate(times=Count("pk")):
            counts[row[key]] = counts.get(row[key], 0) + row["times"]
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:limit]
    terms = Term.objects.select_related("need").in_bulk([pk for pk, _ in ranked])
    most = ranked[0][1] if ranked else 1
    return [{"topic": terms[pk], "times": times, "share": round(100 * times / most)} for pk, times in ranked]
