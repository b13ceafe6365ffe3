"""The people of a deal with role, stance and influence, edited in place; every answer is their part of the page."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST

from segmentation_crm.common.access import can

from ..choices import BuyingRole
from ..forms.pipeline import PersonForm
from ..models import Contact, Opportunity, OpportunityContact
from ..queries import opportunities_visible_to, opportunity_contacts_visible_to
from ..queries.at_record import rows_at
from ..queries.deal_committee import deal_committee, people_who_left
from ..queries.quick_log import people_around
from .pages import demand_write, one

MOST_PEOPLE = 200
MOST_CHOICES = 300


def people_context(request: HttpRequest, opportunity: Opportunity, **more: Any) -> dict[str, Any]:
    """Return what templates/accounts/opportunity_people.html needs (5 queries or so)."""
    rows = list(
        rows_at(request.user, opportunity, OpportunityContact).select_related("contact").order_by("pk")[:MOST_PEOPLE]
    )
    people = _candidates(request, opportunity)
    shown: Any = more.pop("person_form", None)
    gone = people_who_left(opportunity, rows) if rows and opportunity.account_id else set()
    forms = []
    for row in rows:
        form = shown if shown and shown.instance.pk == row.pk else _form(row, people)
        forms.append({"form": form, "row": row, "left": row.contact_id in gone, "html_id": f"person-{row.pk}"})
    new_form = shown if shown and not shown.instance.pk else _form(OpportunityContact(opportunity=opportunity), people)
    return {
        "opportunity": opportunity,
        "can_write": can(request.user, "records.write"),
        "person_forms": forms,
        "new_person_form": new_form,
        "committee": deal_committee(opportunity, rows, gone),
        # A select of more would help nobody; whoever stands below is added from the contact's own page or by import.
        "candidates": list(people.only("first_name", "last_name", "email")[:MOST_CHOICES]),
        "has_champion": any(row.role == BuyingRole.CHAMPION and row.contact_id not in gone for row in rows),
        **more,
    }


def _candidates(request: HttpRequest, opportunity: Opportunity) -> "QuerySet[Contact]":
    """Return whom one may add: the people of the deal's account whom one sees, and who is in the deal already."""
    return people_around(request.user, opportunity)


def _form(row: OpportunityContact, people: "QuerySet[Contact]", data: Any = None) -> PersonForm:
    return PersonForm(data, instance=row, contacts=people, auto_id=f"person_{row.pk or 'new'}_%s")


@login_required
@require_POST
def save_person(request: HttpRequest, pk: int, role: int | None = None) -> HttpResponse:
    """Add a person to the deal, or change role, stance and influence of one."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk)
    row = _role(request, opportunity, role) if role else OpportunityContact(opportunity=opportunity)
    form = _form(row, _candidates(request, opportunity), request.POST)
    if not form.is_valid():
        return _answer(request, opportunity, status=422, person_form=form)
    form.save()
    return _answer(request, opportunity)


@login_required
@require_POST
def remove_person(request: HttpRequest, pk: int, role: int) -> HttpResponse:
    """Take a person's role out of the deal; the answer offers to bring it back."""
    demand_write(request)
    opportunity = one(opportunities_visible_to(request.user), pk)
    row = _role(request, opportunity, role)
    kept = {"contact": row.contact_id, "role": row.role, "stance": row.stance, "influence": row.influence or ""}
    removed = {"words": f"{row.contact}, {row.get_role_display() or 'no role'}", "values": kept}
    row.delete()
    return _answer(request, opportunity, removed_person=removed)


def _role(request: HttpRequest, opportunity: Opportunity, pk: int) -> OpportunityContact:
    rows = opportunity_contacts_visible_to(request.user).filter(opportunity=opportunity).select_related("contact")
    found = rows.filter(pk=pk).first()
    if found is None:
        raise Http404("no such person in this deal")
    return found


def _answer(request: HttpRequest, opportunity: Opportunity, status: int = 200, **more: Any) -> HttpResponse:
    context = people_context(request, opportunity, **more)
    return render(request, "accounts/opportunity_people.html", context, status=status)
