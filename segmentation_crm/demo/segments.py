"""The story's ten segments: two strategic ones, the others working lists; each shows another part of the language."""

from typing import Any

from segmentation_crm.common.models import User
from segments.services.saving import create_segment

DESCRIPTION = "From the demo story."


def _all(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"combinator": "and", "rules": list(rules)}


def _is(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator} | ({} if value is None else {"value": value})


def _some(field: str, *rules: dict[str, Any], mode: str = "some") -> dict[str, Any]:
    return {"field": field, "operator": "match", "match": {"mode": mode}, "value": _all(*rules)}


def _count(field: str, where: dict[str, Any], operator: str, value: int) -> dict[str, Any]:
    return {"field": field, "aggregate": {"function": "count"}, "where": where, "operator": operator, "value": value}


def _last(field: str, n: int) -> dict[str, Any]:
    return _is(field, "in_last", {"n": n, "unit": "day"})


_NOT_A_CUSTOMER = {
    "combinator": "or",
    "not": True,
    "rules": [_is("account.lifecycle_stage", "in", ["customer", "former"])],
}
DEFINITIONS: tuple[dict[str, Any], ...] = (
    {
        "name": "Plants and warehouses worth winning",
        "member_type": "account",
        "kind_of_use": "strategic",
        "objective": "new_markets",
        "rules": _all(
            {
                "combinator": "or",
                "rules": [
                    _is("account.industry", "under", "Manufacturing"),
                    _is("account.industry", "under", "Logistics"),
                ],
            },
            _is("account.employee_count", "between", [100, 2000]),
            _NOT_A_CUSTOMER,
        ),
    },
    {
        "name": "Customers who use it and grow",
        "member_type": "account",
        "kind_of_use": "strategic",
        "objective": "high_value_accounts",
        "rules": _all(
            _is("account.lifecycle_stage", "eq", "customer"),
            _count(
                "account.activities",
                _all(_is("activity.type", "eq", "product_login"), _last("activity.occurred_at", 90)),
                "gte",
                20,
            ),
        ),
    },
    {
        "name": "Customers at risk: renewal near, little use",
        "member_type": "account",
        "rules": _all(
            _some(
                "account.contracts",
                _is("contract.status", "eq", "active"),
                _is("contract.ends_on", "in_next", {"n": 120, "unit": "day"}),
            ),
            _count(
                "account.activities",
                _all(_is("activity.type", "eq", "product_login"), _last("activity.occurred_at", 60)),
                "lte",
                10,
            ),
        ),
    },
    {
        "name": "Technical deciders engaged in the last 90 days",
        "member_type": "contact",
        "rules": _all(
            _is("contact.buying_roles", "any_of", ["technical_decision_maker", "influencer"]),
            _count(
                "contact.activities",
                _all(_is("activity.is_engagement", "is_true"), _last("activity.occurred_at", 90)),
                "gte",
                2,
            ),
        ),
    },
    {
        "name": "Uses a competitor's planning tool",
        "member_type": "account",
        "rules": _all(
            _some(
                "account.technologies",
                _is("technology.is_competitor", "is_true"),
                _is("technology.status", "in", ["in_use", "evaluating"]),
            ),
            _NOT_A_CUSTOMER,
        ),
    },
    {
        "name": "Wants to replace spreadsheets",
        "member_type": "account",
        "rules": _all(
            _some("account.needs", _is("need.need", "under", "Replace spreadsheets")),
            _is("account.account_type", "eq", "prospect"),
        ),
    },
    {
        "name": "Champions and sponsors in open deals",
        "member_type": "contact",
        "rules": _all(
            _is("contact.buying_roles", "any_of", ["champion", "executive_sponsor"]),
            _some("contact.opportunities", _is("opportunity.is_open", "is_true")),
        ),
    },
    {
        "name": "Top tier without an open deal",
        "member_type": "account",
        "rules": _all(
            _is("account.tier", "in", ["1", "2"]),
            _some("account.opportunities", _is("opportunity.is_open", "is_true"), mode="none"),
            _NOT_A_CUSTOMER,
        ),
    },
    {
        "name": "Readers of two contents or more, not asked yet",
        "member_type": "contact",
        "rules": _all(
            _count(
                "contact.activities",
                _all(_is("activity.type", "in", ["content_download", "content_view", "webinar_attended"])),
                "gte",
                2,
            ),
            _is("contact.lifecycle_stage", "in", ["subscriber", "lead"]),
            _is("contact.do_not_contact", "is_false"),
        ),
    },
    {
        "name": "Lost on price, worth another try",
        "member_type": "account",
        "rules": _all(
            _some("account.opportunities", _is("opportunity.lost_reason", "eq", "Price")),
            _NOT_A_CUSTOMER,
        ),
    },
)


def load(owner: User) -> list[int]:
    """Save the segments in the owner's name and return their keys; their members are computed by jobs."""
    return [create_segment(owner, description=DESCRIPTION, **definition)[0].pk for definition in DEFINITIONS]
