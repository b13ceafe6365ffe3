"""The list of activities: the event stream, newest first."""

from collections.abc import Sequence
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import YES_NO, Column, Facet, ListDefinition, figure, of_enum, text, when

from ..choices import ActivityType, Channel, Direction, Party, Vocabulary
from ..filters import ActivityFilter
from ..models import CampaignRef
from ..queries import activities_visible_to
from .cells import activity_about, flag, person, term_name
from .facets import person_facet, row_facet, term_facet
from .seen import Seen

FACETS = [
    Facet("type", "What happened", of_enum(ActivityType), main=True),
    Facet("direction", "Direction", of_enum(Direction), main=True),
    Facet("channel", "Channel", of_enum(Channel), main=True),
    person_facet("user", "By"),
    row_facet("campaign", "Campaign", "campaigns", lambda: CampaignRef.objects.order_by("name")),
    term_facet("topic", "Topic", Vocabulary.TOPIC),
    Facet("party", "Party", of_enum(Party)),
    Facet("occurred_from", "From", type="date"),
    Facet("occurred_until", "Before", type="date"),
    Facet("bot_suspected", "Suspected as bot", lambda: YES_NO),
]


def columns(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of activities (0 queries; names of related records are looked up when shown)."""
    return [*_usual(Seen(user, rows)), *_more(Seen(user, rows))]


def _usual(seen: Seen) -> list[Column]:
    group = "Activity"
    return [
        Column("occurred_at", "When", lambda a: when(a.occurred_at), "occurred_at", group=group),
        Column("type", "What", lambda a: text(a.get_type_display()), group=group),
        Column("about", "About", lambda a: text(activity_about(a)), group=group),
        Column("contact", "Contact", seen.contact, group=group),
        Column("account", "Account", seen.account, group=group),
        Column("direction", "Direction", lambda a: text(a.get_direction_display()), group=group),
        Column("user", "By", lambda a: person(a.user), group=group),
    ]


def _more(seen: Seen) -> list[Column]:
    group = "More"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    return [
        more("opportunity", "Opportunity", seen.opportunity),
        more("channel", "Channel", lambda a: text(a.get_channel_display())),
        more("campaign", "Campaign", lambda a: term_name(a.campaign)),
        more("content", "Content", lambda a: text(a.content.title if a.content else "")),
        more("topic", "Topic", lambda a: term_name(a.topic)),
        more("url_path", "Page", lambda a: text(a.url_path)),
        more("referrer", "Came from", lambda a: text(a.referrer)),
        more("utm_source", "UTM source", lambda a: text(a.utm_source)),
        more("utm_campaign", "UTM campaign", lambda a: text(a.utm_campaign)),
        more("duration_s", "Duration, seconds", lambda a: figure(a.duration_s), numeric=True),
        more("value", "Value", lambda a: figure(a.value), numeric=True),
        more("nps", "NPS", lambda a: figure(a.nps), numeric=True),
        more("provider", "Reported by", lambda a: text(a.provider)),
        more("party", "Party", lambda a: text(a.get_party_display())),
        more("intent_score", "Intent score", lambda a: figure(a.intent_score), numeric=True),
        more("bot_suspected", "Suspected as bot", lambda a: flag(a.bot_suspected)),
        more("source", "Source", lambda a: text(a.source)),
        more("updated_at", "Changed", lambda a: when(a.updated_at), numeric=True),
    ]


LIST = ListDefinition(
    key="activity",
    label="Activities",
    unit="activity",
    unit_plural="activities",
    url_name="accounts:activity_list",
    base=lambda user: activities_visible_to(user).select_related(
        "contact", "account", "opportunity", "content", "campaign", "topic", "user"
    ),
    filterset=ActivityFilter,
    columns=columns,
    facets=FACETS,
    joins={
        "about": ["content", "campaign"],
        "contact": ["contact"],
        "account": ["account"],
        "user": ["user"],
        "opportunity": ["opportunity"],
        "campaign": ["campaign"],
        "content": ["content"],
        "topic": ["topic"],
    },
    ordering="-occurred_at",
    rule_record="activity",
    search_label="Subject",
    keys_first=True,
)
