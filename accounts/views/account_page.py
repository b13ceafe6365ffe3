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
from ..models import (
    Account,
    AccountTechnology,
    Contact,
    ContactAccount,
    Contract,
    Opportunity,
    Purchase,
    SupportCase,
)
from ..queries import accounts_visible_to
from ..queries.at_record import rows_at
from ..queries.glance import account_figures, engaged_people
from ..queries.heard import evidence_counts
from ..queries.references import fill_references
from . import record_tabs as shared
from . import related
from .columns import country
from .committee import committee_context
from .facts import fact_groups, hidden_references
from .known import chips_context
from .pages import external_ids, one, panels_of
from .record_parts import draws_timeline, draws_whole, parts_context
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
    former = rows_at(request.user, account, ContactAccount).filter(left).exclude(contact__account=account)
    return {
        "tab_table": related.page_table(request, rows, PEOPLE),
        "only_engaged": only_engaged,
        "former": list(former.select_related("contact").order_by("-ended_on", "-pk")[:MOST_FORMER]),
    }


def _people(user: Any, account: Account) -> QuerySet:
    return rows_at(user, account, Contact).select_related("owner").order_by("full_name_folded")


def _links(user: Any, account: Account) -> QuerySet:
    """Return who works or worked there, by the ties to the account."""
    return rows_at(user, account, ContactAccount)


def _technologies_tab(request: HttpRequest, account: Account) -> dict[str, Any]:
    return {
        **chips_context(request, account, "technologies"),
        "tab_table": related.page_table(request, _technologies(request.user, account), TECHNOLOGIES),
    }


def _technologies(user: Any, account: Account) -> QuerySet:
    rows = rows_at(user, account, AccountTechnology)
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
            rows_at(user, a, Opportunity).select_related("stage", "owner", "product").order_by("-opened_on")
        ),
        related.deals,
        narrow=shared.narrow_deals,
    ),
    shared.ACTIVITIES,
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
        lambda user, a: rows_at(user, a, Purchase).select_related("product").order_by("-ordered_at"),
        related.purchases,
    ),
    Tab(
        "contracts",
        "Contracts",
        "contract",
        "contracts",
        lambda user, a: rows_at(user, a, Contract).select_related("product").order_by("-starts_on"),
        related.contracts,
    ),
    Tab(
        "support",
        "Support",
        "support case",
        "support cases",
        lambda user, a: rows_at(user, a, SupportCase).order_by("-opened_at"),
        related.support_cases,
    ),
    Tab("group", "Group", "account", "accounts", _group, template="accounts/_group_tab.html", context=_group_tab),
]


REFERENCES = (
    "owner", "sdr", "industry", "sales_region", "sic_code", "naics_code", "parent_account", "ultimate_parent",
    "churn_reason",
)  # fmt: skip


@login_required
@require_GET
def account_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one account at a glance, or one kind of what hangs on it; parts below the first screen come after it."""
    keep_visibility(request.user)
    account = one(accounts_visible_to(request.user), pk)
    fill_references(account, *REFERENCES)
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
    deals = rows_at(request.user, account, Opportunity).filter(stage__is_open=True).select_related("stage")
    shown = ("name", "expected_close", "next_step", "amount", "amount_currency", "stage__name")
    return {
        "groups": fact_groups("account", account, hidden_references(request.user, account)),
        "deals": deals.order_by("expected_close", "pk").only(*shown)[:5],
        "external_ids": external_ids("account", account.pk),
        **parts_context(request, account),
        **(_around(request, account) if draws_whole(request) else {}),
        **(timeline_context(request, account) if draws_timeline(request) else {}),
    }


def _around(request: HttpRequest, account: Account) -> dict[str, Any]:
    """Return the committee, what is known and heard, and what upper apps add (12 queries or so)."""
    return {
        "chip_panels": [chips_context(request, account, "needs"), chips_context(request, account, "technologies")],
        "heard": evidence_counts(request.user, account, 12),
        "panels": panels_of("account", account, request),
        **committee_context(request, account),
    }


@login_required
@require_GET
def account_around(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the part of an account's page that stands around its facts: committee, needs, technologies, segments."""
    keep_visibility(request.user)
    account = one(accounts_visible_to(request.user), pk)
    context = {"account": account, "record": account, "record_kind": "account"}
    context["can_write"] = can(request.user, "records.write")
    return render(request, "accounts/_account_around.html", {**context, **_around(request, account)})
