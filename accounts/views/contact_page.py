"""The page of one contact: key figures, facts, timeline, roles, employers, consents, everything around the person."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from segmentation_crm.common.access import can, keep_visibility

from ..choices import BuyingRole
from ..models import Consent, Contact, ContactAccount, Opportunity, OpportunityContact
from ..queries import contacts_visible_to
from ..queries.at_record import rows_at, standing
from ..queries.glance import contact_figures
from ..queries.heard import evidence_counts
from ..queries.references import fill_references
from . import record_tabs as shared
from . import related
from .columns import country
from .committee import role_choices
from .facts import fact_groups
from .known import chips_context
from .pages import external_ids, one, panels_of
from .record_parts import draws_timeline, draws_whole, parts_context
from .records import url_if_there
from .related import Tab, related_context
from .seen import Seen
from .timeline import timeline_context


def _deals(user: Any, contact: Contact) -> Any:
    roles = rows_at(user, contact, OpportunityContact).order_by().values("opportunity_id")
    return standing(Opportunity).filter(pk__in=roles)


TABS = [
    Tab(
        "opportunities",
        "Opportunities",
        "opportunity",
        "opportunities",
        lambda user, c: _deals(user, c).select_related("stage", "owner", "account", "product").order_by("-opened_on"),
        related.opportunities_with_account,
        narrow=shared.narrow_deals,
    ),
    shared.ACTIVITIES,
    shared.TASKS,
    shared.NOTES,
    shared.FILES,
    shared.NEEDS,
    shared.CONTENT,
    shared.SURVEYS,
    Tab(
        "accounts",
        "Employers",
        "account",
        "accounts",
        lambda user, c: rows_at(user, c, ContactAccount).select_related("account").order_by("ended_on", "-started_on"),
        related.employers,
    ),
    Tab(
        "consents",
        "Consents",
        "consent",
        "consents",
        lambda user, c: rows_at(user, c, Consent).select_related("topic").order_by("-at"),
        related.consents,
    ),
]


@login_required
@require_GET
def contact_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one contact at a glance, or one kind of what hangs on the person; parts below the screen come after it."""
    keep_visibility(request.user)
    contact = one(contacts_visible_to(request.user), pk)
    fill_references(contact, "owner", "account", "persona", "reject_reason")
    context = related_context(request, contact, TABS, reverse("accounts:contact_detail", args=[pk]))
    account_cell = Seen(request.user, [contact]).account(contact)
    if not context["chosen_tab"]:
        context.update(_overview(request, contact, hidden=contact.account_id and not account_cell.get("url")))
    context["figures"] = contact_figures(contact, request.user)
    return render(
        request,
        "accounts/contact_detail.html",
        {
            **context,
            "contact": contact,
            "record": contact,
            "record_kind": "contact",
            "account_cell": account_cell,
            "country": country(contact.country),
            "can_write": can(request.user, "records.write"),
            "job_url": url_if_there("accounts:contact_job_edit", pk),
        },
    )


def _overview(request: HttpRequest, contact: Contact, hidden: Any) -> dict[str, Any]:
    roles = list(contact.values_multi.filter(field="buying_roles").order_by("pk").values_list("token", flat=True))
    labels = dict(BuyingRole.choices)
    parts = rows_at(request.user, contact, OpportunityContact).filter(opportunity__stage__is_open=True)
    shown = ("role", "stance", "influence", "opportunity__name", "opportunity__amount", "opportunity__amount_currency")
    return {
        "groups": fact_groups("contact", contact, frozenset({"account"} if hidden else ())),
        "buying_roles": [(token, labels.get(token, token)) for token in roles],
        "roles": role_choices(),
        "deal_parts": list(parts.select_related("opportunity").only(*shown).order_by("-pk")[:6]),
        "external_ids": external_ids("contact", contact.pk),
        **parts_context(request, contact),
        **(_around(request, contact) if draws_whole(request) else {}),
        **(timeline_context(request, contact) if draws_timeline(request) else {}),
    }


def _around(request: HttpRequest, contact: Contact) -> dict[str, Any]:
    """Return what is known and heard of the person, and what upper apps add (4 queries or so)."""
    return {
        "chip_panels": [chips_context(request, contact, "needs")],
        "heard": evidence_counts(request.user, contact, 12),
        "panels": panels_of("contact", contact, request),
    }


@login_required
@require_GET
def contact_around(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the part of a contact's page that stands around its facts: needs, what was heard, segments."""
    keep_visibility(request.user)
    contact = one(contacts_visible_to(request.user), pk)
    context = {"contact": contact, "record": contact, "record_kind": "contact"}
    context["can_write"] = can(request.user, "records.write")
    return render(request, "accounts/_around.html", {**context, **_around(request, contact)})
