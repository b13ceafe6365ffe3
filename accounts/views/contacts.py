"""Pages of contacts."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.access import can

from ..choices import BuyingRole, ContactLifecycle, Deliverability, Department, LeadStatus, Seniority, Vocabulary
from ..fields.places import COUNTRIES
from ..filters import ContactFilter
from ..forms import ContactForm
from ..models import Persona
from ..queries import (
    accounts_visible_to,
    activities_visible_to,
    consents_visible_to,
    contact_accounts_visible_to,
    contacts_visible_to,
    needs_visible_to,
    opportunities_visible_to,
    survey_answers_visible_to,
)
from . import related
from .columns import contact_columns, country
from .facts import fact_groups
from .lists import YES_NO, Facet, ListPage, list_context, of_enum, of_rows, of_terms, owners
from .pages import demand_write, external_ids, one, panels_of
from .related import Tab, related_context, timeline
from .seen import Seen

FACETS = [
    Facet("lifecycle_stage", "Lifecycle", of_enum(ContactLifecycle), main=True),
    Facet("seniority", "Seniority", of_enum(Seniority), main=True),
    Facet("department", "Department", of_enum(Department), main=True),
    Facet("owner", "Owner", owners, main=True),
    Facet("buying_role", "Buying role", of_enum(BuyingRole)),
    Facet("lead_status", "Lead status", of_enum(LeadStatus)),
    Facet("country", "Country", lambda: [(c.value, c.label) for c in COUNTRIES]),
    Facet("persona", "Persona", of_rows(lambda: Persona.objects.order_by("name"))),
    Facet("job_title", "Job title contains"),
    Facet("email_domain", "E-mail domain"),
    Facet("tag", "Tag", of_terms(Vocabulary.TAG)),
    Facet("deliverability", "Deliverability", of_enum(Deliverability)),
    Facet("do_not_contact", "Do not contact", lambda: YES_NO),
    Facet("without_account", "Without account", lambda: YES_NO),
    Facet("unowned", "Without owner", lambda: YES_NO),
]

TABS = [
    Tab(
        "activities",
        "Activities",
        "activity",
        "activities",
        lambda user, c: (
            activities_visible_to(user)
            .filter(contact=c)
            .select_related("contact", "account", "content", "campaign", "user")
            .order_by("-occurred_at")
        ),
        related.events,
        with_contacts=True,
    ),
    Tab(
        "opportunities",
        "Opportunities",
        "opportunity",
        "opportunities",
        lambda user, c: (
            opportunities_visible_to(user)
            .filter(pk__in=c.opportunity_roles.values("opportunity_id"))
            .select_related("stage", "owner", "product", "account")
            .order_by("-opened_on")
        ),
        related.opportunities_with_account,
    ),
    Tab(
        "needs",
        "Needs",
        "need",
        "needs",
        lambda user, c: needs_visible_to(user).filter(contact=c).select_related("need").order_by("priority"),
        related.needs,
    ),
    Tab(
        "accounts",
        "Employers",
        "tie to an account",
        "ties to accounts",
        lambda user, c: (
            contact_accounts_visible_to(user).filter(contact=c).select_related("account").order_by("-started_on")
        ),
        related.employers,
    ),
    Tab(
        "consents",
        "Consents",
        "consent",
        "consents",
        lambda user, c: consents_visible_to(user).filter(contact=c).select_related("topic").order_by("-at"),
        related.consents,
    ),
    Tab(
        "surveys",
        "Survey answers",
        "answer",
        "answers",
        lambda user, c: survey_answers_visible_to(user).filter(contact=c).order_by("-answered_at"),
        related.answers,
    ),
]


@login_required
@require_GET
def contact_list(request: HttpRequest) -> HttpResponse:
    """Show the contacts the user sees."""
    queryset = contacts_visible_to(request.user).select_related("owner", "account")
    page = ListPage(
        columns=lambda rows: contact_columns(Seen(request.user, rows)),
        facets=FACETS,
        filters=ContactFilter,
        ordering="name",
        unit="contact",
        unit_plural="contacts",
    )
    return render(request, "accounts/contact_list.html", list_context(request, queryset, page))


@login_required
@require_GET
def contact_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one contact: the facts, or one kind of related records."""
    contact = one(
        contacts_visible_to(request.user).select_related("owner", "account", "persona", "reject_reason"),
        pk,
    )
    context = related_context(request, contact, TABS, reverse("accounts:contact_detail", args=[pk]))
    account_cell = Seen(request.user, [contact]).account(contact)
    if not context["chosen_tab"]:
        context.update(_overview(request, contact, hidden=contact.account_id and not account_cell.get("url")))
    return render(
        request,
        "accounts/contact_detail.html",
        {
            **context,
            "contact": contact,
            "account_cell": account_cell,
            "country": country(contact.country),
            "can_write": can(request.user, "records.write"),
        },
    )


def _overview(request: HttpRequest, contact: Any, hidden: Any) -> dict[str, Any]:
    events = (
        activities_visible_to(request.user)
        .filter(contact=contact)
        .select_related("contact", "content", "campaign", "user")
        .order_by("-occurred_at", "-pk")[:10]
    )
    rows = list(events)
    roles = contact.values_multi.filter(field="buying_roles").values_list("token", flat=True)
    labels = dict(BuyingRole.choices)
    return {
        "groups": fact_groups("contact", contact, frozenset({"account"} if hidden else ())),
        "buying_roles": [labels.get(token, token) for token in roles],
        "timeline": timeline(rows, Seen(request.user, rows, with_contacts=True)),
        "panels": panels_of("contact", contact, request),
        "external_ids": external_ids("contact", contact.pk),
    }


@login_required
@require_http_methods(["GET", "POST"])
def contact_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make or change a contact."""
    demand_write(request)
    contact = one(contacts_visible_to(request.user), pk) if pk else None
    initial = {}
    wanted = request.GET.get("account", "")
    if contact is None and wanted.isascii() and wanted.isdigit() and len(wanted) < 19:
        initial["account"] = accounts_visible_to(request.user).filter(pk=int(wanted)).first()
    form = ContactForm(request.POST or None, instance=contact, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        saved = form.save_safely()
        if saved is not None:
            messages.success(request, f"{saved.name} is saved.")
            return redirect("accounts:contact_detail", saved.pk)
    return render(request, "accounts/contact_form.html", {"form": form, "contact": contact})
