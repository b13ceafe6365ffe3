"""The buying committee of an account: who plays which part, how they stand, who has shown up, which part is missing."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from segmentation_crm.common.access import AnyUser, visibility

from ..choices import ROLE_GROUPS, BuyingRole, RoleGroup, role_group
from ..models import Account, Contact, ContactValue, Opportunity, OpportunityContact, RoleTemplate, RoleTemplateRole
from .at_record import activities_of_seen_contacts, rows_at
from .engagement import engaged_contacts
from .following import of_contact

MOST_PEOPLE = 300
# What the map and its summary write of a person.
SHOWN = ("first_name", "last_name", "full_name_folded", "email", "job_title", "account_id")


@dataclass
class Part:
    """One role of a person: as the contact says (`from_contact`), or in open deals, with stance and influence."""

    role: str
    from_contact: bool = False
    stance: str = ""
    influence: int | None = None
    deals: list[str] = field(default_factory=list)

    @property
    def label(self) -> str:
        """Return the role in words."""
        return str(BuyingRole(self.role).label) if self.role in BuyingRole.values else "No role yet"


@dataclass
class Member:
    """A person of the account (or of its open deals), with every part and when they engaged last in 90 days."""

    contact: Contact
    parts: dict[str, Part] = field(default_factory=dict)
    engaged_at: Any = None
    is_outside: bool = False

    def parts_in(self, group: str) -> list[Part]:
        """Return the parts that belong to a role group."""
        return [part for role, part in self.parts.items() if role_group(role) == group]


@dataclass
class Want:
    """A line of the role template: a role or group, how many it asks for, how many there are and how many engaged."""

    label: str
    group: str
    role: str
    minimum: int
    have: int = 0
    engaged: int = 0

    @property
    def is_covered(self) -> bool:
        """Tell whether there are enough."""
        return self.have >= self.minimum

    @property
    def suggested_role(self) -> str:
        """Return the role that fills the line: its own, else the first of its group."""
        return self.role or next(role for role, group in ROLE_GROUPS.items() if group == self.group)


@dataclass
class Committee:
    """The people by role group, who has none yet, and what the role template asks for."""

    groups: list[tuple[str, str, list[Member]]]
    unassigned: list[Member]
    wants: list[Want]
    template: str
    is_cut: bool = False

    @property
    def has_people(self) -> bool:
        """Tell whether anybody is known."""
        return bool(self.unassigned) or any(members for _, _, members in self.groups)

    @property
    def covered(self) -> int:
        """Return how many lines of the template are filled."""
        return sum(want.is_covered for want in self.wants)

    @property
    def covered_engaged(self) -> int:
        """Return how many lines are filled counting only who engaged in 90 days."""
        return sum(want.engaged >= want.minimum for want in self.wants)

    @property
    def counts_groups(self) -> bool:
        """Tell whether the template speaks of groups only."""
        return all(want.group and not want.role for want in self.wants)

    @property
    def missing(self) -> list[Want]:
        """Return the lines nobody or too few fill."""
        return [want for want in self.wants if not want.is_covered]


def committee_of(account: Account, user: AnyUser) -> Committee:
    """Return the committee as the user may see it (6 to 7 queries)."""
    deals = rows_at(user, account, Opportunity).filter(stage__is_open=True).order_by("-opened_on", "-pk")
    pipelines = dict(deals.values_list("pk", "pipeline_id"))
    roles = _deal_roles(user, pipelines)
    people = list(rows_at(user, account, Contact).order_by("full_name_folded", "pk").only(*SHOWN)[: MOST_PEOPLE + 1])
    members = {person.pk: Member(person) for person in people[:MOST_PEOPLE]}
    for row in roles:
        if row.contact_id not in members:
            members[row.contact_id] = Member(row.contact, is_outside=row.contact.account_id != account.pk)
    _add_own_roles(members)
    for row in roles:
        _add_deal_role(members[row.contact_id], row)
    for pk, at in engaged_contacts(activities_of_seen_contacts(user), members).items():
        members[pk].engaged_at = at
    template = _template([row.opportunity.pipeline_id for row in roles] or list(pipelines.values())[:1])
    ordered = sorted(members.values(), key=_rank)
    groups = [
        (value, str(label), [member for member in ordered if member.parts_in(value)])
        for value, label in RoleGroup.choices
    ]
    return Committee(
        groups=groups,
        unassigned=[member for member in ordered if not any(member.parts)],
        wants=_wants(template, ordered),
        template=template.name if template else "",
        is_cut=len(people) > MOST_PEOPLE,
    )


def _deal_roles(user: AnyUser, deals: Iterable[int]) -> list[OpportunityContact]:
    """Return who takes which part in these deals, which the user sees; only people the user sees (≤ 1 query)."""
    keys = list(deals)
    if not keys:
        return []
    rows = OpportunityContact.objects.filter(of_contact(visibility(user)), opportunity_id__in=keys)
    shown = [f"contact__{name}" for name in SHOWN]
    return list(
        rows.select_related("contact", "opportunity")
        .only("role", "stance", "influence", "opportunity__name", "opportunity__pipeline_id", *shown)
        .order_by("pk")
    )


def _add_own_roles(members: dict[int, Member]) -> None:
    rows = ContactValue.objects.filter(contact_id__in=members, field="buying_roles").order_by("pk")
    for pk, role in rows.values_list("contact_id", "token"):
        members[pk].parts[role] = Part(role, from_contact=True)


def _add_deal_role(member: Member, row: OpportunityContact) -> None:
    if not row.role and not (row.stance or row.influence):
        return
    part = member.parts.setdefault(row.role, Part(row.role)) if row.role else _any_part(member)
    part.stance = row.get_stance_display() or part.stance
    part.influence = max(row.influence or 0, part.influence or 0) or None
    part.deals.append(row.opportunity.name)


def _any_part(member: Member) -> Part:
    return next(iter(member.parts.values()), None) or member.parts.setdefault("", Part(""))


def _rank(member: Member) -> tuple[Any, ...]:
    strongest = max((part.influence or 0 for part in member.parts.values()), default=0)
    return (-strongest, member.engaged_at is None, member.contact.full_name_folded, member.contact.pk)


def _template(pipelines: Iterable[int | None]) -> RoleTemplate | None:
    """Return the template of the deals' pipeline, else the default one (2 queries)."""
    wanted = [pk for pk in pipelines if pk is not None]
    found = RoleTemplate.objects.filter(pipeline__in=wanted[-1:]) | RoleTemplate.objects.filter(is_default=True)
    return found.order_by("is_default", "pk").prefetch_related("roles").first()


def _wants(template: RoleTemplate | None, members: list[Member]) -> list[Want]:
    if template is None:
        return []
    have: dict[str, set[int]] = defaultdict(set)
    engaged: dict[str, set[int]] = defaultdict(set)
    for member in members:
        for role in filter(None, member.parts):
            for key in (f"role:{role}", f"group:{role_group(role)}"):
                have[key].add(member.contact.pk)
                if member.engaged_at is not None:
                    engaged[key].add(member.contact.pk)
    return [_want(line, have, engaged) for line in template.roles.all()]


def _want(line: RoleTemplateRole, have: dict[str, set[int]], engaged: dict[str, set[int]]) -> Want:
    key = f"role:{line.role}" if line.role else f"group:{line.role_group}"
    return Want(
        label=str(line.get_role_display() if line.role else line.get_role_group_display()),
        group=line.role_group or role_group(line.role),
        role=line.role,
        minimum=line.minimum,
        have=len(have[key]),
        engaged=len(engaged[key]),
    )
