"""The fields of activities, the event stream (GLOSSARY §4)."""

from accounts.choices import ActivityType, Channel, ContentFormat, Direction, Party
from segmentation_crm.common.fields import Computed, FieldDef

from .making import DATA, DO, FieldMaker

V = FieldMaker("activity")


def _event() -> list[FieldDef]:
    return [
        V.enum("type", "Type", DO, "behavioural", ActivityType),
        V.enum("direction", "Direction", DO, "behavioural", Direction),
        V.datetime("occurred_at", "When", DO, "behavioural", phrase="date"),
        V.boolean(
            "is_engagement",
            "Counts as engagement",
            DO,
            "behavioural",
            source=Computed("is_engagement"),
            phrase="{count} as engagement|{do} not count as engagement",
            help="Inbound and not suspected as bot; opens, unsubscribes and bounces do not count",
        ),
        V.reference("contact", "Contact", DO, "behavioural", "contact"),
        V.reference("account", "Account", DO, "behavioural", "account"),
        V.boolean(
            "bot_suspected",
            "Suspected as bot",
            DO,
            "behavioural",
            phrase="{be} suspected as bot|{be} not suspected as bot",
        ),
        V.reference("campaign", "Campaign", DO, "campaign", "campaign"),
        V.enum("channel", "Channel", DO, "campaign", Channel),
        V.reference("content", "Content", DO, "behavioural", "content"),
        V.enum(
            "content_format",
            "Content format",
            DO,
            "behavioural",
            ContentFormat,
            source=Computed("via", ("content", "format")),
            help="Of the content item",
        ),
        V.tree("topic", "Topic", DO, "behavioural", "term:topic"),
        V.decimal("value", "Value", DO, "behavioural"),
        V.integer("nps", "NPS answer", DO, "behavioural", phrase="NPS answer", help="0 to 10"),
    ]


def _web() -> list[FieldDef]:
    return [
        V.text("visitor_id", "Visitor id", DATA, "behavioural"),
        V.text("url_path", "Page path", DO, "behavioural"),
        V.text("entry_page", "Entry page", DO, "behavioural"),
        V.text("referrer", "Referrer", DO, "behavioural"),
        *(
            V.text(f"utm_{name}", f"UTM {name}", DO, "campaign", phrase=f"UTM {name}")
            for name in ("source", "medium", "campaign", "term", "content")
        ),
        V.integer("duration_s", "Duration in seconds", DO, "behavioural"),
    ]


def _intent() -> list[FieldDef]:
    return [
        V.text("provider", "Intent provider", DO, "behavioural"),
        V.enum("party", "First or third party", DO, "behavioural", Party),
        V.decimal("intent_score", "Intent score", DO, "behavioural", help="0 to 100"),
        V.decimal("baseline", "Intent baseline", DO, "behavioural"),
        V.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        V.datetime("created_at", "Recorded", DATA, "identity", phrase="recording date"),
    ]


def fields() -> list[FieldDef]:
    """Return the fields of activities."""
    return [*_event(), *_web(), *_intent()]
