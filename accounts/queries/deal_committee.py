"""Who stands where in a deal, and how complete its committee is against the role template of its pipeline."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..choices import role_group
from ..models import ContactAccount, Opportunity, OpportunityContact, RoleTemplate, RoleTemplateRole


@dataclass(frozen=True)
class Seat:
    """A line of the role template: what it asks for and how many people of the deal fill it."""

    label: str
    minimum: int
    have: int

    @property
    def is_filled(self) -> bool:
        """Tell whether there are enough."""
        return self.have >= self.minimum


@dataclass(frozen=True)
class DealCommittee:
    """The lines of the template and the completeness from 0 to 1 (None without a template)."""

    template: str = ""
    seats: list[Seat] = field(default_factory=list)
    completeness: Decimal | None = None


def people_who_left(opportunity: Opportunity, roles: Sequence[OpportunityContact]) -> set[int]:
    """Return the contacts of the deal who ended their job at its account and hold no other there (1 query)."""
    jobs = ContactAccount.objects.filter(
        account=opportunity.account_id, contact_id__in=[role.contact_id for role in roles]
    ).values_list("contact_id", "ended_on")
    ended: set[int] = set()
    current: set[int] = set()
    for contact, ended_on in jobs:
        (current if ended_on is None else ended).add(contact)
    return ended - current


def deal_committee(
    opportunity: Opportunity, roles: Sequence[OpportunityContact], gone: frozenset[int] | set[int] = frozenset()
) -> DealCommittee:
    """Compare the people of a deal, but for those who left, with the template of its pipeline (2 queries).

    completeness = Σ weight × min(1, have ÷ minimum) ÷ Σ weight.
    """
    templates = RoleTemplate.objects.filter(pipeline=opportunity.pipeline_id) if opportunity.pipeline_id else None
    default = RoleTemplate.objects.filter(is_default=True)
    found = default if templates is None else templates | default
    template = found.order_by("is_default", "pk").prefetch_related("roles").first()
    lines = list(template.roles.all()) if template else []
    if template is None or not lines:
        return DealCommittee()
    have: dict[str, set[int]] = defaultdict(set)
    for row in roles:
        if row.role and row.contact_id not in gone:
            have[f"role:{row.role}"].add(row.contact_id)
            have[f"group:{role_group(row.role)}"].add(row.contact_id)
    seats = [_seat(line, have) for line in lines]
    reached = sum(
        (
            line.weight * min(Decimal(1), Decimal(seat.have) / seat.minimum)
            for line, seat in zip(lines, seats, strict=True)
        ),
        Decimal(0),
    )
    return DealCommittee(template.name, seats, reached / sum(line.weight for line in lines))


def _seat(line: RoleTemplateRole, have: dict[str, set[int]]) -> Seat:
    key = f"role:{line.role}" if line.role else f"group:{line.role_group}"
    label = line.get_role_display() if line.role else line.get_role_group_display()
    return Seat(str(label), line.minimum, len(have[key]))
