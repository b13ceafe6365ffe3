"""Recording what happened; every response of a campaign comes back through here."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone

from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.models import User

from ..choices import ActivityType, Channel, Direction
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
    """Store many activities at once, by the same rules as one (3 queries: accounts of people, of deals, the rows).

    The account is the contact's, else the opportunity's, as it is now, unless given. All or nothing: raises
    ValidationError naming the first wrong row and each of its wrong fields.
    """
    made = list(activities)
    for position, activity in enumerate(made):
        activity.direction = activity.direction or usual_direction(activity.type)
        if not _is_plainly_right(activity):
            try:
                _check(activity)
            except ValidationError as error:
                words = {name: f"Row {position + 1}: {' '.join(text)}" for name, text in error.message_dict.items()}
                raise ValidationError(words) from None
    without = [activity for activity in made if activity.account_id is None]
    accounts = dict(_account_ids(Contact, {a.contact_id for a in without}))
    deals = dict(_account_ids(Opportunity, {a.opportunity_id for a in without}))
    for activity in without:
        activity.account_id = accounts.get(activity.contact_id or 0) or deals.get(activity.opportunity_id or 0)
    bulk_insert(made)
    return made


# What almost every row holds; whatever else is set is looked at field by field.
_TYPES, _DIRECTIONS, _CHANNELS = frozenset(ActivityType.values), frozenset(Direction.values), {"", *Channel.values}
_SELDOM = ("text", "entry_page", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_FIGURES = ("value", "intent_score", "baseline", "nps")


def _is_plainly_right(activity: Activity) -> bool:
    """Tell, at a hundredth of the cost of a full check, that there is nothing to check in full."""
    values = activity.__dict__
    texts = (values["subject"], values["url_path"], values["visitor_id"], values["provider"], values["source"])
    return (
        values["type"] in _TYPES
        and values["direction"] in _DIRECTIONS
        and values["channel"] in _CHANNELS
        and isinstance(values["occurred_at"], dt.datetime)
        and values["occurred_at"].tzinfo is not None
        and values["party"] == ""
        and (values["duration_s"] is None or (type(values["duration_s"]) is int and 0 <= values["duration_s"] < 2**31))
        and all(values[name] is None for name in _FIGURES)
        and all(values[name] == "" for name in _SELDOM)
        and all(type(text) is str and len(text) <= 60 and text.isprintable() for text in texts)
    )


def _account_ids(model: type[Contact] | type[Opportunity], keys: Iterable[int | None]) -> Iterator[tuple[int, int]]:
    ids = sorted(key for key in keys if key is not None)
    for start in range(0, len(ids), 5000):
        found = model.objects.filter(pk__in=ids[start : start + 5000], account__isnull=False).order_by()
        yield from found.values_list("pk", "account_id")


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
