"""Champions who leave: open deals that lose the person who fought for them are flagged, and their owners hear of it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.services.notifications import notify

from ..choices import BuyingRole
from ..models import Contact, ContactValue, Opportunity, OpportunityContact


def flag_departures(left: Mapping[int, int], day: dt.date) -> list[int]:
    """Flag the open deals of accounts whose champion left; returns their keys (2 queries and 4 for each deal).

    left: contact -> account that the contact left. A champion holds that role in the deal, or holds it in general and
    takes any part in the deal.
    """
    roles = (
        OpportunityContact.objects.filter(
            contact_id__in=left,
            opportunity__in=Opportunity.objects.live().filter(stage__is_open=True, account_id__in=set(left.values())),
        )
        .select_related("opportunity__owner", "contact")
        .order_by("pk")
    )
    taken: dict[int, list[OpportunityContact]] = defaultdict(list)
    for role in roles:
        if role.opportunity.account_id == left[role.contact_id]:
            taken[role.opportunity_id].append(role)
    if not taken:
        return []
    general = set(
        ContactValue.objects.filter(contact_id__in=left, field="buying_roles", token=BuyingRole.CHAMPION).values_list(
            "contact_id", flat=True
        )
    )
    flagged = []
    for pk, held in taken.items():
        lost = next((r for r in held if r.role == BuyingRole.CHAMPION or r.contact_id in general), None)
        if lost is not None:
            _flag(lost.opportunity, lost.contact, day)
            flagged.append(pk)
    return flagged


def _flag(opportunity: Opportunity, contact: Contact, day: dt.date) -> None:
    opportunity.champion_left, opportunity.champion_left_on = contact, day
    opportunity.save(update_fields=["champion_left", "champion_left_on"])
    if opportunity.owner is not None:
        notify(
            opportunity.owner,
            "champion_left",
            f"champion_left:{opportunity.pk}:{contact.pk}:{day.isoformat()}",
            f"The champion of {opportunity.name} left",
            text=f"{contact.name} no longer works at the account. Find somebody else who stands up for this deal.",
            url=reverse("accounts:opportunity_detail", args=[opportunity.pk]),
        )


def welcome_champions(opportunity_ids: Iterable[int]) -> int:
    """Take the flag off deals that have a new champion since; returns how many (1 query)."""
    new = OpportunityContact.objects.filter(
        opportunity=OuterRef("pk"), role=BuyingRole.CHAMPION, created_at__date__gte=OuterRef("champion_left_on")
    ).exclude(contact_id=OuterRef("champion_left_id"))
    flagged = Opportunity.objects.filter(Exists(new), pk__in=list(opportunity_ids), champion_left_on__isnull=False)
    return flagged.update(
        champion_left=None, champion_left_on=None, version=F("version") + 1, updated_at=effective_now()
    )
