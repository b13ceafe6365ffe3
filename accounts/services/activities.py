"""Recording what happened; every response of a campaign comes back through here."""

import datetime as dt
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import User

from ..choices import ActivityType, Direction
from ..models import Account, Activity, CampaignRef, Contact, ContentItem, Opportunity, Term

_OUTBOUND = frozenset({ActivityType.EMAIL_SENT, ActivityType.CALL, ActivityType.MEETING, ActivityType.DEMO})
_SYSTEM = frozenset({ActivityType.EMAIL_DELIVERED, ActivityType.EMAIL_BOUNCE, ActivityType.INTENT_SURGE})


def usual_direction(type_: str) -> str:
    """Return the direction of an activity where nobody says it: from the type alone."""
    if type_ in _OUTBOUND:
        return str(Direction.OUTBOUND)
    return str(Direction.SYSTEM if type_ in _SYSTEM else Direction.INBOUND)


def record_activity(
    type_: str,
    *,
    occurred_at: dt.datetime | None = None,
    contact: Contact | None = None,
    account: Account | None = None,
    opportunity: Opportunity | None = None,
    campaign: CampaignRef | None = None,
    content: ContentItem | None = None,
    topic: Term | None = None,
    user: User | None = None,
    direction: str = "",
    value: Decimal | int | None = None,
    **details: Any,
) -> Activity:
    """Store one activity; `details` are the other columns of Activity (channel, url_path, nps …). 1 query.

    The account is the contact's, else the opportunity's, as it is now, unless given.
    Raises ValidationError naming each wrong field.
    """
    activity = Activity(
        type=type_,
        direction=direction or usual_direction(type_),
        occurred_at=occurred_at or effective_now(),
        contact=contact,
        opportunity=opportunity,
        campaign=campaign,
        content=content,
        topic=topic,
        user=user,
        value=value,
        **details,
    )
    activity.account_id = account.pk if account is not None else resolve_account_id(activity)
    _check(activity)
    activity.save()
    return activity


def resolve_account_id(activity: Activity) -> int | None:
    """Return the account an activity belongs to: the contact's, else the opportunity's."""
    if activity.contact is not None and activity.contact.account_id is not None:
        return activity.contact.account_id
    return activity.opportunity.account_id if activity.opportunity is not None else None


def record_activities(activities: Sequence[Activity]) -> list[Activity]:
    """Store many activities at once: accounts resolved in 1 query, written 1,000 a query."""
    open_contacts = {a.contact_id for a in activities if a.account_id is None and a.contact_id is not None}
    accounts = dict(_account_ids(open_contacts))
    for activity in activities:
        if activity.account_id is None and activity.contact_id is not None:
            activity.account_id = accounts.get(activity.contact_id)
        activity.direction = activity.direction or usual_direction(activity.type)
    return Activity.objects.bulk_create(activities, batch_size=1000)


def _account_ids(contacts: Iterable[int]) -> "Iterable[tuple[int, int | None]]":
    ids = list(contacts)
    return Contact.objects.filter(pk__in=ids).order_by().values_list("pk", "account_id") if ids else ()


def _check(activity: Activity) -> None:
    errors: dict[str, str] = {}
    if timezone.is_naive(activity.occurred_at):
        errors["occurred_at"] = "Give the moment with its time zone."
    try:
        activity.clean_fields(exclude=["account", "contact", "opportunity", "campaign", "content", "topic", "user"])
    except ValidationError as error:
        errors |= {name: " ".join(messages) for name, messages in error.message_dict.items()}
    if activity.type not in ActivityType.values:
        errors["type"] = f"type must be one of: {', '.join(ActivityType.values)}."
    if errors:
        raise ValidationError(errors)
