"""Pages of accounts."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.access import can

from ..choices import AccountLifecycle, AccountType, Ownership, SizeClass, Tier, Vocabulary
from ..fields.places import COUNTRIES
from ..filters import AccountFilter
from ..forms import AccountForm
from ..models import TechnologyProduct
from ..queries import (
    accounts_visible_to,
    activities_visible_to,
    contacts_visible_to,
    contracts_visible_to,
    needs_visible_to,
    opportunities_visible_to,
    purchases_visible_to,
    support_cases_visible_to,
    technologies_visible_to,
)
from . import related
from .columns import ACCOUNT_COLUMNS, country
from .facts import fact_groups
from .lists import YES_NO, Facet, ListPage, list_context, of_enum, of_rows, of_terms, owners
from .pages import demand_write, external_ids, one, panels_of
from .related import Tab, related_context, timeline
from .seen import Seen

LIST = ListPage(
    columns=lambda _rows: ACCOUNT_COLUMNS,
    facets=[
        Facet("account_type", "Type", of_enum(AccountType), main=True),
        Facet("lifecycle_stage", "Lifecycle", of_enum(AccountLifecycle), main=True),
        Facet("tier", "Tier", of_enum(Tier), main=True),
        Facet("owner", "Owner", owners, main=True),
        Facet("country", "Country", lambda: [(c.value, c.label) for c in COUNTRIES]),
        Facet("industry", "Industry", of_terms(Vocabulary.INDUSTRY)),
        Facet("sales_region", "Sales region", of_terms(Vocabulary.SALES_REGION)),
        Facet("size_class", "Size", of_enum(SizeClass)),
        Facet("ownership", "Ownership", of_enum(Ownership)),
        Facet("employee_count_min", "Employees from", type="number"),
        Facet("employee_count_max", "Employees to", type="number"),
        Facet("annual_revenue_min", "Revenue from", type="number"),
        Facet("annual_revenue_max", "Revenue to", type="number"),
        Facet("technology", "Uses", of_rows(lambda: TechnologyProduct.objects.order_by("name"))),
        Facet("tag", "Tag", of_terms(Vocabulary.TAG)),
        Facet("do_not_contact", "Do not contact", lambda: YES_NO),
        Facet("unowned", "Without owner", lambda: YES_NO),
    ],
    filters=AccountFilter,
    ordering="name",
    unit="account",
    unit_plural="accounts",
)

TABS = [
    Tab(
        "contacts",
        "Contacts",
        "contact",
        "contacts",
        lambda user, a: (
            contacts_visible_to(user).filter(account=a).select_related("owner").order_by("full_name_folded")
        ),
        related.people,
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
    Tab(
        "technologies",
        "Technologies",
        "technology",
        "technologies",
        lambda user, a: (
            technologies_visible_to(user)
            .filter(account=a)
            .select_related("product__vendor", "product__category")
            .order_by("product__name_folded")
        ),
        related.technologies,
    ),
    Tab(
        "needs",
        "Needs",
        "need",
        "needs",
        lambda user, a: needs_visible_to(user).filter(account=a).select_related("need").order_by("priority"),
        related.needs,
    ),
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
]


@login_required
@require_GET
def account_list(request: HttpRequest) -> HttpResponse:
    """Show the accounts the user sees."""
    queryset = accounts_visible_to(request.user).select_related("owner", "industry")
    return render(request, "accounts/account_list.html", list_context(request, queryset, LIST))


@login_required
@require_GET
def account_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one account: its facts, or one kind of its related records."""
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
    return render(
        request,
        "accounts/account_detail.html",
        {**context, "account": account, "country": country(account.country), "can_write": _can_write(request)},
    )


def _can_write(request: HttpRequest) -> bool:
    return can(request.user, "records.write")


def _overview(request: HttpRequest, account: Any) -> dict[str, Any]:
    parents = {account.parent_account_id, account.ultimate_parent_id} - {None}
    seen_parents = set(
        accounts_visible_to(request.user).filter(pk__in=parents).values_list("pk", flat=True) if parents else []
    )
    hidden = {
        name
        for name in ("parent_account", "ultimate_parent")
        if getattr(account, f"{name}_id") and getattr(account, f"{name}_id") not in seen_parents
    }
    deals = opportunities_visible_to(request.user).filter(account=account, stage__is_open=True)
    events = (
        activities_visible_to(request.user)
        .filter(account=account)
        .select_related("contact", "content", "campaign", "user")
        .order_by("-occurred_at", "-pk")[:8]
    )
    rows = list(events)
    return {
        "groups": fact_groups("account", account, frozenset(hidden)),
        "people": contacts_visible_to(request.user).filter(account=account).order_by("full_name_folded", "pk")[:6],
        "deals": deals.select_related("stage").order_by("expected_close", "pk")[:5],
        "timeline": timeline(rows, Seen(request.user, rows, with_contacts=True)),
        "panels": panels_of("account", account, request),
        "external_ids": external_ids("account", account.pk),
    }


@login_required
@require_http_methods(["GET", "POST"])
def account_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change an account."""
    demand_write(request)
    account = one(accounts_visible_to(request.user), pk) if pk else None
    form = AccountForm(request.POST or None, instance=account, user=request.user)
    if request.method == "POST" and form.is_valid():
        saved = form.save_safely()
        if saved is not None:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("accounts:account_detail", saved.pk)
    return render(request, "accounts/account_form.html", {"form": form, "account": account})
