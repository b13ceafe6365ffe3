"""The page of one account: key figures, facts, timeline, committee, what it needs and uses, everything around it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from segmentation_crm.common.access import can, keep_visibility

from ..choices import ContactRelation
from ..models import Account
from ..queries import (
    accounts_visible_to,
    activities_visible_to,
    contact_accounts_visible_to,
    contacts_visible_to,
    contracts_visible_to,
    opportunities_visible_to,
    purchases_visible_to,
    support_cases_visible_to,
    technologies_visible_to,
)
from ..queries.glance import account_figures, engaged_people
from ..queries.heard import evidence_counts
from . import record_tabs as shared
from . import related
from .columns import country
from .committee import committee_context
from .facts import fact_groups
from .known import chips_context
from .pages import external_ids, one, panels_of
from .related import Tab, related_context
from .timeline import timeline_context

MOST_FORMER = 50
MOST_CHILDREN = 200


def _people_tab(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Return the people, those engaged only where the address asks, and who left (3 queries)."""
    rows = _people(request.user, account)
    only_engaged = request.GET.get("engaged") == "1"
    if only_engaged:
        rows = rows.filter(pk__in=engaged_people(account, request.user).values("pk"))
    left = Q(ended_on__isnull=False) | Q(relation=ContactRelation.FORMER_EMPLOYEE)
    former = contact_accounts_visible_to(request.user).filter(left, account=account).exclude(contact__account=account)
    return {
        "tab_table": related.page_table(request, rows, PEOPLE),
        "only_engaged": only_engaged,
        "former": list(former.select_related("contact").order_by("-ended_on", "-pk")[:MOST_FORMER]),
    }


def _people(user: Any, account: Account) -> QuerySet:
    return contacts_visible_to(user).filter(account=account).select_related("owner").order_by("full_name_folded")


def _links(user: Any, account: Account) -> QuerySet:
    """Return who works or worked there, by the ties to the account."""
    return contact_accounts_visible_to(user).filter(account=account)


def _technologies_tab(request: HttpRequest, account: Account) -> dict[str, Any]:
    return {
        **chips_context(request, account, "technologies"),
        "tab_table": related.page_table(request, _technologies(request.user, account), TECHNOLOGIES),
    }


def _technologies(user: Any, account: Account) -> QuerySet:
    rows = technologies_visible_to(user).filter(account=account)
    return rows.select_related("product__vendor", "product__category").order_by("product__name_folded")


def _group(user: Any, account: Account) -> QuerySet:
    """Return the accounts above and below that the user sees."""
    above = [pk for pk in (account.parent_account_id, account.ultimate_parent_id) if pk and pk != account.pk]
    return accounts_visible_to(user).filter(Q(pk__in=above) | Q(parent_account=account))


def _group_tab(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Return parent, ultimate parent and children (1 query); what one may not see is only counted as hidden."""
    rows = list(
        _group(request.user, account).select_related("owner", "industry").order_by("name_folded")[:MOST_CHILDREN]
    )
    above = {
        pk: row for row in rows for pk in [row.pk] if pk in (account.parent_account_id, account.ultimate_parent_id)
    }
    return {
        "parent": above.get(account.parent_account_id),
        "ultimate": above.get(account.ultimate_parent_id)
        if account.ultimate_parent_id != account.parent_account_id
        else None,
        "hidden_parent": bool(account.parent_account_id and account.parent_account_id not in above),
        "children": [row for row in rows if row.parent_account_id == account.pk],
    }


PEOPLE = Tab(
    "contacts",
    "Contacts",
    "contact",
    "contacts",
    _people,
    also=_links,
    columns=related.people,
    template="accounts/_people_tab.html",
    context=_people_tab,
)
TECHNOLOGIES = Tab(
    "technologies",
    "Technologies",
    "technology",
    "technologies",
    _technologies,
    columns=related.technologies,
    template="accounts/_technologies_tab.html",
    context=_technologies_tab,
)
TABS = [
    PEOPLE,
    Tab(
        "committee",
        "Committee",
        "person",
        "people",
        _people,
        template="accounts/_committee_tab.html",
        context=committee_context,
    ),
    Tab(
        "opportunities",
        "Opportunities",
        "opportunity",
        "opportunities",
        lambda user, a: (
            opportunities_visible_to(user)
            .filter(account=a)
            .select_related("stage", "owner", "product")
            .order_by("-opened_on")
        ),
        related.deals,
        narrow=shared.narrow_deals,
    ),
    Tab(
        "activities",
        "Activities",
        "activity",
        "activities",
        lambda user, a: (
            activities_visible_to(user)
            .filter(account=a)
            .select_related("contact", "account", "content", "campaign", "user")
            .order_by("-occurred_at")
        ),
        related.events,
        with_contacts=True,
    ),
    shared.TASKS,
    shared.NOTES,
    shared.FILES,
    shared.NEEDS,
    TECHNOLOGIES,
    shared.CONTENT,
    shared.SURVEYS,
    Tab(
        "purchases",
        "Purchases",
        "purchase",
        "purchases",
        lambda user, a: purchases_visible_to(user).filter(account=a).select_related("product").order_by("-ordered_at"),
        related.purchases,
    ),
    Tab(
        "contracts",
        "Contracts",
        "contract",
        "contracts",
        lambda user, a: contracts_visible_to(user).filter(account=a).select_related("product").order_by("-starts_on"),
        related.contracts,
    ),
    Tab(
        "support",
        "Support",
        "support case",
        "support cases",
        lambda user, a: support_cases_visible_to(user).filter(account=a).order_by("-opened_at"),
        related.support_cases,
    ),
    Tab("group", "Group", "account", "accounts", _group, template="accounts/_group_tab.html", context=_group_tab),
]


@login_required
@require_GET
def account_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one account at a glance, or one kind of what hangs on it."""
    keep_visibility(request.user)
    account = one(
        accounts_visible_to(request.user).select_related(
            "owner", "sdr", "industry", "sales_region", "sic_code", "naics_code", "parent_account", "ultimate_parent",
            "churn_reason",
        ),
        pk,
    )  # fmt: skip
    context = related_context(request, account, TABS, reverse("accounts:account_detail", args=[pk]))
    if not context["chosen_tab"]:
        context.update(_overview(request, account))
    context["figures"] = account_figures(account, request.user)
    return render(
        request,
        "accounts/account_detail.html",
        {
            **context,
            "account": account,
            "record": account,
            "record_kind": "account",
            "country": country(account.country),
            "can_write": can(request.user, "records.write"),
        },
    )


def _overview(request: HttpRequest, account: Account) -> dict[str, Any]:
    parents = {pk for pk in (account.parent_account_id, account.ultimate_parent_id) if pk is not None}
    seen_parents = set(
        accounts_visible_to(request.user).filter(pk__in=parents).values_list("pk", flat=True) if parents else []
    )
    hidden = {
        name
        for name in ("parent_account", "ultimate_parent")
        if getattr(account, f"{name}_id") and getattr(account, f"{name}_id") not in seen_parents
    }
    deals = opportunities_visible_to(request.user).filter(account=account, stage__is_open=True)
    return {
        "groups": fact_groups("account", account, frozenset(hidden)),
        "deals": deals.select_related("stage").order_by("expected_close", "pk")[:5],
        "chip_panels": [chips_context(request, account, "needs"), chips_context(request, account, "technologies")],
        "heard": evidence_counts(request.user, account, 12),
        "panels": panels_of("account", account, request),
        "external_ids": external_ids("account", account.pk),
        **committee_context(request, account),
        **timeline_context(request, account),
    }
