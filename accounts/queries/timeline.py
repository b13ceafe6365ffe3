"""The timeline of an account, contact or opportunity: everything that happened, merged by time.

One query a source and page, however many events there are; what is mere noise (page views, opens, deliveries, log-ins)
comes as one line a day.
"""

import datetime as dt
from collections import Counter
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.extensions import timeline_sources
from segmentation_crm.common.timeline import (
    Cursor,
    TimelineEvent,
    TimelineKind,
    TimelineQuery,
    TimelineSource,
    day_start,
    merge_sources,
)

from ..choices import ActivityType
from ..models import Account, Activity, Contact, Opportunity, OpportunityContact
from .at_record import rows_at
from .timeline_records import CONTACT_NAMED, RECORD_SOURCES, user_named

PAGE = 25
# How many people and deals around an account are followed, the latest first.
MOST_AROUND = 2000
# How many rows of noise are read at once; a page mostly needs one reading.
NOISE_ROWS = 1500
Record = Account | Contact | Opportunity
NOISE = Q(
    type__in=[
        ActivityType.PAGE_VIEW,
        ActivityType.EMAIL_OPEN,
        ActivityType.EMAIL_DELIVERED,
        ActivityType.PRODUCT_LOGIN,
        ActivityType.FEATURE_USED,
    ]
) | Q(type=ActivityType.EMAIL_SENT, user__isnull=True)

_K = TimelineKind
KIND_OF_TYPE: dict[str, str] = {
    ActivityType.CALL: _K.CONVERSATION,
    ActivityType.MEETING: _K.CONVERSATION,
    ActivityType.DEMO: _K.CONVERSATION,
    ActivityType.SUPPORT_CONTACT: _K.SUPPORT,
    ActivityType.SURVEY_RESPONSE: _K.SURVEY,
    ActivityType.REVIEW: _K.SURVEY,
    ActivityType.PRODUCT_LOGIN: _K.PRODUCT,
    ActivityType.FEATURE_USED: _K.PRODUCT,
    ActivityType.EMAIL_SENT: _K.EMAIL,
    ActivityType.EMAIL_DELIVERED: _K.EMAIL,
    ActivityType.EMAIL_OPEN: _K.EMAIL,
    ActivityType.EMAIL_CLICK: _K.EMAIL,
    ActivityType.EMAIL_REPLY: _K.EMAIL,
    ActivityType.EMAIL_BOUNCE: _K.EMAIL,
    ActivityType.UNSUBSCRIBE: _K.EMAIL,
}
ACTIVITY_ICONS = {
    "meeting": "calendar",
    "call": "phone",
    "demo": "video",
    "support_contact": "lifebuoy",
    "page_view": "world",
    "content_view": "file-text",
    "content_download": "download",
    "form_submit": "forms",
    "email_sent": "mail",
    "email_delivered": "mail",
    "email_open": "mail",
    "email_click": "click",
    "email_reply": "message",
    "email_bounce": "ban",
    "unsubscribe": "ban",
    "ad_click": "speakerphone",
    "review": "stars",
    "survey_response": "checkbox",
    "product_login": "key",
    "webinar_attended": "video",
    "webinar_registered": "video",
    "event_attended": "calendar",
    "event_registered": "calendar",
    "intent_surge": "bolt",
}


_DRAWN = (
    "occurred_at", "type", "subject", "url_path", "nps", "text", "bot_suspected",
    "contact_id", "account_id", "content_id", "campaign_id", "user_id",
    "account__name", "account__deleted_at", "account__merged_into_id", "content__title", "campaign__name",
    *CONTACT_NAMED, *user_named("user"),
)  # fmt: skip


def types_of(kinds: frozenset[str]) -> list[str]:
    """Return the activity types that belong to these kinds."""
    return [value for value in ActivityType.values if KIND_OF_TYPE.get(value, _K.WEB) in kinds]


def timeline_page(
    record: Record,
    user: AnyUser,
    *,
    kinds: frozenset[str] = frozenset(),
    contact_id: int | None = None,
    before: Cursor | None = None,
    limit: int = PAGE,
) -> tuple[list[TimelineEvent], Cursor | None]:
    """Return one page of a record's timeline and the cursor of the next (2 queries and those of the sources).

    Every event is one the user may see; a contact or account an event names still has to be checked by `Seen`.
    """
    return merge_sources(sources(), timeline_query(record, user, kinds, contact_id, before, limit))


def sources() -> list[TimelineSource]:
    """Return every source in order of rank."""
    return [_ACTIVITIES, *RECORD_SOURCES, *timeline_sources, _NOISE]


def timeline_query(
    record: Record,
    user: AnyUser,
    kinds: frozenset[str],
    contact_id: int | None,
    before: Cursor | None,
    limit: int,
) -> TimelineQuery:
    """Return what the sources are asked, with the people and deals around the record (up to 2 queries).

    Around a deal there is only the deal: what its people do elsewhere stands on their own pages.
    """
    if isinstance(record, Account):
        people = rows_at(user, record, Contact).order_by("-pk")
        deals = rows_at(user, record, Opportunity).order_by("-pk")
        contacts = list(people.values_list("pk", flat=True)[:MOST_AROUND])
        opportunities = list(deals.values_list("pk", flat=True)[:MOST_AROUND])
        kind = "account"
    elif isinstance(record, Opportunity):
        contacts, opportunities, kind = [], [record.pk], "opportunity"
    else:
        roles = rows_at(user, record, OpportunityContact).order_by()
        contacts = [record.pk]
        opportunities = list(roles.values_list("opportunity_id", flat=True).distinct()[:MOST_AROUND])
        kind = "contact"
    return TimelineQuery(
        record_type=kind,
        record=record,
        user=user,
        limit=limit,
        kinds=kinds,
        before=before,
        contact_id=contact_id,
        contacts=contacts,
        opportunities=opportunities,
    )


def own_activities(query: TimelineQuery) -> "QuerySet[Activity]":
    """Return the visible activities of the record, narrowed to the kinds and the person asked for."""
    rows = rows_at(query.user, query.record, Activity)
    if query.kinds:
        rows = rows.filter(type__in=types_of(query.kinds))
    return rows if query.contact_id is None else rows.filter(contact=query.contact_id)


def activity_event(activity: Activity) -> TimelineEvent:
    """Return the line of one activity; needs contact, account, content, campaign and user selected."""
    content = activity.content.title if activity.content else ""
    campaign = activity.campaign.name if activity.campaign else ""
    parts = [activity.subject or content or activity.url_path or campaign]
    if activity.nps is not None:
        parts.append(f"score {activity.nps} of 10")
    return TimelineEvent(
        at=activity.occurred_at,
        kind=KIND_OF_TYPE.get(activity.type, _K.WEB),
        pk=activity.pk,
        title=activity.get_type_display(),
        icon=ACTIVITY_ICONS.get(activity.type, "activity"),
        about=" · ".join(part for part in parts if part),
        text=activity.text,
        tone="warn" if activity.bot_suspected else "",
        by=activity.user.display_name if activity.user else "",
        contact=activity.contact,
        account=activity.account,
    )


def _activities(query: TimelineQuery) -> list[TimelineEvent]:
    rows = own_activities(query).exclude(NOISE).filter(query.older("occurred_at"))
    return [activity_event(row) for row in _drawn(rows)[: query.limit]]


def _drawn(rows: "QuerySet[Activity]") -> "QuerySet[Activity]":
    """Return activities in order, with the columns that `activity_event` and the names of its records need."""
    related = rows.select_related("contact", "account", "content", "campaign", "user")
    return related.only(*_DRAWN).order_by("-occurred_at", "-pk")


def _noise(query: TimelineQuery) -> list[TimelineEvent]:
    """Return one line for each local day with noise; it stands at the day's midnight, below what happened then."""
    rows = own_activities(query).filter(NOISE)
    if query.before is not None:
        day = timezone.localtime(query.before.at).date()
        at_midnight = day_start(day) == query.before.at and query.before.rank >= query.rank
        rows = rows.filter(occurred_at__lt=day_start(day if at_midnight else day + dt.timedelta(days=1)))
    rows = rows.order_by("-occurred_at", "-pk")
    days: dict[dt.date, Counter[str]] = {}
    keys: dict[dt.date, int] = {}
    part = list(rows.values_list("occurred_at", "type", "pk")[:NOISE_ROWS])
    while part:
        for at, type_, pk in part:
            day = timezone.localtime(at).date()
            days.setdefault(day, Counter())[type_] += 1
            keys.setdefault(day, pk)
        if len(part) < NOISE_ROWS or len(days) > query.limit:
            break
        last_at, _, last_pk = part[-1]
        following = rows.filter(Q(occurred_at__lt=last_at) | Q(occurred_at=last_at, pk__lt=last_pk))
        part = list(following.values_list("occurred_at", "type", "pk")[:NOISE_ROWS])
    return [_noise_event(day, types, keys[day]) for day, types in list(days.items())[: query.limit]]


def _noise_event(day: dt.date, types: Counter[str], pk: int) -> TimelineEvent:
    labels = dict(ActivityType.choices)
    ordered = sorted(types.items(), key=lambda pair: (-pair[1], pair[0]))
    parts = [(str(labels[type_]).lower(), count) for type_, count in ordered]
    icon = ACTIVITY_ICONS.get(ordered[0][0], "activity")
    kind = KIND_OF_TYPE.get(ordered[0][0], _K.WEB)
    return TimelineEvent(at=day_start(day), kind=kind, pk=pk, title="", icon=icon, parts=parts, has_time=False)


def noise_of_day(record: Record, user: AnyUser, day: dt.date, query: TimelineQuery) -> list[TimelineEvent]:
    """Return the single rows behind the line of one local day, newest first, at most 200 (1 query)."""
    rows = own_activities(query).filter(
        NOISE, occurred_at__gte=day_start(day), occurred_at__lt=day_start(day + dt.timedelta(days=1))
    )
    return [activity_event(row) for row in _drawn(rows)[:200]]


_ALL_ACTIVITY_KINDS: frozenset[Any] = frozenset(map(str, {*KIND_OF_TYPE.values(), _K.WEB}))
_ACTIVITIES = TimelineSource("activities", _ALL_ACTIVITY_KINDS, _activities)
_NOISE = TimelineSource("noise", frozenset(map(str, (_K.EMAIL, _K.WEB, _K.PRODUCT))), _noise)
