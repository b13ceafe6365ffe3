"""The demo company's segments: each shows another part of the rule language."""

from typing import Any

from segmentation_crm.common.models import Role, User
from segments.models import Segment
from segments.services.saving import create_segment

DEFINITIONS: tuple[dict[str, Any], ...] = (
    {
        "name": "Mid-market manufacturers not yet customers",
        "member_type": "account",
        "rules": {
            "combinator": "and",
            "rules": [
                {"field": "account.industry", "operator": "under", "value": "manufacturing"},
                {"field": "account.employee_count", "operator": "between", "value": [200, 2000]},
                {
                    "combinator": "or",
                    "not": True,
                    "rules": [{"field": "account.lifecycle_stage", "operator": "eq", "value": "customer"}],
                },
            ],
        },
    },
    {
        "name": "Technical deciders engaged in the last 90 days",
        "member_type": "contact",
        "rules": {
            "combinator": "and",
            "rules": [
                {
                    "field": "contact.buying_roles",
                    "operator": "any_of",
                    "value": ["technical_decision_maker", "influencer"],
                },
                {
                    "field": "contact.activities",
                    "aggregate": {"function": "count"},
                    "where": {
                        "combinator": "and",
                        "rules": [
                            {"field": "activity.direction", "operator": "eq", "value": "inbound"},
                            {"field": "activity.bot_suspected", "operator": "is_false"},
                            {
                                "field": "activity.occurred_at",
                                "operator": "in_last",
                                "value": {"n": 90, "unit": "day"},
                            },
                        ],
                    },
                    "operator": "gte",
                    "value": 2,
                },
            ],
        },
    },
    {
        "name": "Customers with a competitor's planning tool",
        "member_type": "account",
        "rules": {
            "combinator": "and",
            "rules": [
                {"field": "account.lifecycle_stage", "operator": "eq", "value": "customer"},
                {
                    "field": "account.technologies",
                    "operator": "match",
                    "match": {"mode": "some"},
                    "value": {
                        "combinator": "and",
                        "rules": [
                            {"field": "technology.is_competitor", "operator": "is_true"},
                            {"field": "technology.status", "operator": "in", "value": ["in_use", "evaluating"]},
                        ],
                    },
                },
            ],
        },
    },
)
DESCRIPTION = "From the demo data."


def demo_segments() -> list[Segment]:
    """Return the segments that the demo data brought (1 query)."""
    names = [definition["name"] for definition in DEFINITIONS]
    return list(Segment.objects.filter(name__in=names, description=DESCRIPTION))


def load() -> None:
    """Save the segments in the name of the first admin; their members are computed by jobs."""
    admin = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk").first()
    if admin is None:
        return
    for definition in DEFINITIONS:
        create_segment(admin, description=DESCRIPTION, **definition)
