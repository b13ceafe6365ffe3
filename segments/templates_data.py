"""Segments to start from: the common methods of B2B segmentation as rules of the rule language.

Only closed lists and figures stand in them, never words that an installation may rename. Wherever activities count,
"not suspected as bot" stands in the rule itself, visible and removable (RULES §5.10).
"""

from dataclasses import dataclass
from typing import Any

Rules = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """One segment to start from. method: the heading it stands under; text: whom it finds, and what for."""

    key: str
    method: str
    name: str
    member_type: str
    text: str
    rules: Rules


METHODS: dict[str, str] = {
    "firmographic": "Firmographic: what kind of company",
    "technographic": "Technographic: what they run",
    "behavioural": "Behavioural: what they do",
    "needs": "Needs: what they want to solve",
    "tier": "Tier: how much they matter to us",
    "sophistication": "Sophistication: how far they are in knowing the problem",
    "buying_role": "Buying role: who decides",
    "purchase": "Purchase: how and what they buy",
    "expansion": "Expansion: customers with room to grow",
    "churn_risk": "Churn risk: customers who may leave",
}


def _all(*rules: Rules) -> Rules:
    return {"combinator": "and", "rules": list(rules)}


def _any(*rules: Rules) -> Rules:
    return {"combinator": "or", "rules": list(rules)}


def _is(field: str, operator: str, value: Any = None) -> Rules:
    found: Rules = {"field": field, "operator": operator}
    return found if value is None else {**found, "value": value}


def _has(relation: str, *rules: Rules, mode: str = "some", threshold: int | None = None) -> Rules:
    match: Rules = {"mode": mode} if threshold is None else {"mode": mode, "threshold": threshold}
    return {"field": relation, "operator": "match", "match": match, "value": _all(*rules)}


def _figure(relation: str, function: str, of: str, where: list[Rules], operator: str, value: Any) -> Rules:
    figure: Rules = {"function": function, "of": of} if of else {"function": function}
    found: Rules = {"field": relation, "aggregate": figure}
    return {**found, **({"where": _all(*where)} if where else {}), "operator": operator, "value": value}


def _time(n: int, unit: str) -> Rules:
    return {"n": n, "unit": unit}


NO_BOT = _is("activity.bot_suspected", "is_false")
CUSTOMER = _is("account.lifecycle_stage", "eq", "customer")


def _recent(days: int) -> Rules:
    return _is("activity.occurred_at", "in_last", _time(days, "day"))


TEMPLATES: tuple[Template, ...] = (
    # --- firmographic ---
    Template(
        "growing_mid_market", "firmographic", "Growing mid-sized companies", "account",
        "200 to 2,000 people and growing: large enough to buy, small enough to decide fast.",
        _all(
            _is("account.employee_count", "between", [200, 2000]),
            _any(_is("account.employee_growth_12m", "gte", 10), _is("account.revenue_growth_12m", "gte", 10)),
        ),
    ),
    Template(
        "group_heads", "firmographic", "Heads of large groups", "account",
        "The top company of a group of 1,000 people or more: one contract can open all its subsidiaries.",
        _all(_is("account.is_hierarchy_root", "is_true"), _is("account.group_employee_count", "gte", 1000)),
    ),
    Template(
        "changing_hands", "firmographic", "Companies in change", "account",
        "Owned by private equity, or in scale-up or turnaround: new management looks for new tools.",
        _any(
            _is("account.ownership", "eq", "private_equity"),
            _is("account.growth_stage", "in", ["scale_up", "turnaround"]),
        ),
    ),
    # --- technographic ---
    Template(
        "on_cloud", "technographic", "Companies in the cloud", "account",
        "A product of a cloud provider is in use: they buy software as a service already.",
        _all(_has("account.technologies", _is("technology.is_cloud_provider", "is_true"),
                  _is("technology.status", "eq", "in_use"))),
    ),
    Template(
        "rival_contract_ends", "technographic", "A competitor's contract ends soon", "account",
        "A competing product whose contract ends within six months: the time to be asked for an offer.",
        _all(_has("account.technologies", _is("technology.is_competitor", "is_true"),
                  _is("technology.contract_ends", "in_next", _time(6, "month")))),
    ),
    Template(
        "stack_in_motion", "technographic", "Their tools are changing", "account",
        "Something is evaluated or phased out: a choice is being made now.",
        _all(_has("account.technologies", _is("technology.status", "in", ["evaluating", "phasing_out"]))),
    ),
    # --- behavioural ---
    Template(
        "several_people_active", "behavioural", "Several people are active", "account",
        "Two or more different people came to us within 90 days: a buying group forms.",
        _all(_figure("account.activities", "count_distinct", "activity.contact",
                     [_is("activity.direction", "eq", "inbound"), _recent(90), NO_BOT], "gte", 2)),
    ),
    Template(
        "high_intent_people", "behavioural", "People with strong interest", "contact",
        "Three or more downloads, forms, webinars or demos within 30 days.",
        _all(_has("contact.activities",
                  _is("activity.type", "in", ["content_download", "form_submit", "webinar_attended", "demo"]),
                  _recent(30), NO_BOT, mode="at_least", threshold=3)),
    ),
    Template(
        "intent_surge", "behavioural", "Interest measured elsewhere", "account",
        "A provider saw a surge of interest of 70 or more within 30 days.",
        _all(_has("account.activities", _is("activity.type", "eq", "intent_surge"),
                  _is("activity.intent_score", "gte", 70), _recent(30), NO_BOT)),
    ),
    Template(
        "gone_quiet", "behavioural", "Engaged once, quiet now", "account",
        "Was engaged, and nothing for 90 days, though no customer yet: worth another way in.",
        _all(_is("account.last_engaged_at", "more_than_ago", _time(90, "day")),
             _is("account.lifecycle_stage", "neq", "customer")),
    ),
    # --- needs ---
    Template(
        "stated_problems", "needs", "Said what their problem is", "account",
        "A problem in their own words: stated, in a survey or in an interview, and not rejected since.",
        _all(_has("account.needs", _is("need.kind", "eq", "problem"),
                  _is("need.evidence", "in", ["stated", "survey", "interview"]),
                  _is("need.rejected_on", "is_empty"))),
    ),
    Template(
        "need_without_deal", "needs", "A need, and no open deal", "account",
        "A need that nobody has rejected and no open deal: somebody should call.",
        _all(_has("account.needs", _is("need.rejected_on", "is_empty")),
             _has("account.opportunities", _is("opportunity.is_open", "is_true"), mode="none")),
    ),
    # --- tier ---
    Template(
        "tier_one_quiet", "tier", "Tier 1 without engagement", "account",
        "The most important accounts from which nothing came for 90 days.",
        _all(_is("account.tier", "eq", "1"), {**_all(_is("account.engaged_90d", "is_true")), "not": True}),
    ),
    Template(
        "top_tiers_in_motion", "tier", "Tiers 1 and 2 in motion", "account",
        "Important accounts that are engaged or qualified, and have no open deal yet.",
        _all(_is("account.tier", "in", ["1", "2"]), _is("account.lifecycle_stage", "in", ["engaged", "mqa"]),
             _has("account.opportunities", _is("opportunity.is_open", "is_true"), mode="none")),
    ),
    # --- sophistication ---
    Template(
        "problem_aware", "sophistication", "Know the problem, not the solution", "account",
        "Aware of the problem and engaged: content that explains the ways out fits best.",
        _all(_is("account.sophistication", "eq", "problem_aware"), _is("account.engaged_90d", "is_true")),
    ),
    Template(
        "ready_to_compare", "sophistication", "Know the products, no open deal", "account",
        "They know the products, ours perhaps among them: proof and prices fit best.",
        _all(_is("account.sophistication", "in", ["product_aware", "most_aware"]),
             _has("account.opportunities", _is("opportunity.is_open", "is_true"), mode="none")),
    ),
    # --- buying role ---
    Template(
        "deciders_of_engaged", "buying_role", "Deciders at engaged accounts", "contact",
        "Who decides or pays, at accounts from which somebody came to us within 90 days.",
        _all(_is("contact.buying_roles", "any_of", ["decision_maker", "economic_buyer", "executive_sponsor"]),
             _is("account.engaged_90d", "is_true")),
    ),
    Template(
        "active_champions", "buying_role", "Active champions", "contact",
        "Champions who came to us within 90 days: they carry the word inside.",
        _all(_is("contact.buying_roles", "any_of", ["champion"]), _is("contact.engaged_90d", "is_true")),
    ),
    Template(
        "single_threaded", "buying_role", "Open deals on one pair of eyes", "account",
        "A deal is open and at most one person with a buying role is engaged: if that person leaves, the deal does.",
        _all(_has("account.opportunities", _is("opportunity.is_open", "is_true")),
             _has("account.contacts", _is("contact.buying_roles", "is_set"), _is("contact.engaged_90d", "is_true"),
                  mode="at_most", threshold=1)),
    ),
    # --- purchase ---
    Template(
        "by_tender", "purchase", "Buy by tender or framework", "account",
        "They buy by formal procedure: papers, references and dates decide.",
        _all(_is("account.purchasing_policy", "in", ["tender", "framework"])),
    ),
    Template(
        "quality_buyers", "purchase", "Buy for quality and security", "account",
        "Quality, security or compliance are criteria, and price is not among them.",
        _all(_is("account.buying_criteria", "any_of", ["quality", "security", "compliance"]),
             _is("account.buying_criteria", "none_of", ["price"])),
    ),
    Template(
        "repeat_buyers", "purchase", "Buy again and again", "account",
        "Three or more purchases within a year.",
        _all(_has("account.purchases", _is("purchase.ordered_at", "in_last", _time(1, "year")),
                  mode="at_least", threshold=3)),
    ),
    Template(
        "lapsed_buyers", "purchase", "Bought once, not for a year", "account",
        "They have bought, and nothing within a year: a reason to ask.",
        _all({"field": "account.purchases", "operator": "match", "match": {"mode": "some"}},
             _has("account.purchases", _is("purchase.ordered_at", "in_last", _time(1, "year")), mode="none")),
    ),
    # --- expansion ---
    Template(
        "one_product_customers", "expansion", "Customers with one product", "account",
        "Customers who bought one product only and are engaged: the next one fits.",
        _all(CUSTOMER, _figure("account.purchases", "count_distinct", "purchase.product", [], "eq", 1),
             _is("account.engaged_90d", "is_true")),
    ),
    Template(
        "growing_customers", "expansion", "Customers that grow", "account",
        "Customers whose number of people grew by 15 % within a year: they need more of it.",
        _all(CUSTOMER, _is("account.employee_growth_12m", "gte", 15)),
    ),
    Template(
        "happy_customers", "expansion", "Customers who recommend us", "account",
        "A recommendation of 9 or 10 within a year: ask for a reference, and what else they need.",
        _all(CUSTOMER, _has("account.activities", _is("activity.nps", "gte", 9), _recent(365), NO_BOT)),
    ),
    # --- churn risk ---
    Template(
        "ending_and_quiet", "churn_risk", "Contract ends, nobody engaged", "account",
        "An active contract ends within 90 days and nothing came from them for 90.",
        _all(_has("account.contracts", _is("contract.status", "eq", "active"),
                  _is("contract.ends_on", "in_next", _time(90, "day"))),
             {**_all(_is("account.engaged_90d", "is_true")), "not": True}),
    ),
    Template(
        "usage_stopped", "churn_risk", "Stopped using the product", "account",
        "Customers who used the product within half a year and not within 30 days.",
        _all(CUSTOMER,
             _has("account.activities", _is("activity.type", "in", ["product_login", "feature_used"]),
                  _recent(180), NO_BOT),
             _has("account.activities", _is("activity.type", "in", ["product_login", "feature_used"]),
                  _recent(30), NO_BOT, mode="none")),
    ),
    Template(
        "support_trouble", "churn_risk", "Trouble with support", "account",
        "Customers with two or more severe support cases within 90 days.",
        _all(CUSTOMER,
             _has("account.support_cases", _is("support_case.severity", "in", ["high", "critical"]),
                  _is("support_case.opened_at", "in_last", _time(90, "day")), mode="at_least", threshold=2)),
    ),
)  # fmt: skip
BY_KEY = {template.key: template for template in TEMPLATES}
