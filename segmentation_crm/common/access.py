"""Who may do what, and who sees which records: the one policy behind pages, API, admin, exports and jobs.

Each app turns `visibility(user)` into a queryset in its `queries.<things>_visible_to(user)`; nothing else decides.
"""

from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import AnonymousUser

from .models import Role, Territory, User

AnyUser = User | AnonymousUser

# Words a token's `scopes` may hold. "read" and "write" cover records; the others open one door each.
SCOPES = ("read", "write", "import", "export", "segments")

SEES_EVERYTHING = frozenset({Role.ADMIN, Role.MARKETING_MANAGER, Role.ANALYST, Role.VIEWER, Role.INTEGRATION})
_WRITERS = frozenset({Role.ADMIN, Role.MARKETING_MANAGER, Role.SALES_MANAGER, Role.SALES_REP, Role.INTEGRATION})
_MANAGERS = frozenset({Role.ADMIN, Role.MARKETING_MANAGER, Role.SALES_MANAGER})

# capability -> roles that hold it
CAPABILITIES: dict[str, frozenset[str]] = {
    "records.write": _WRITERS,
    "records.delete": _MANAGERS,
    "records.assign": _MANAGERS | {Role.INTEGRATION},
    "records.import": _MANAGERS | {Role.INTEGRATION},
    "records.export": _MANAGERS | {Role.SALES_REP, Role.ANALYST, Role.INTEGRATION},
    "records.export_personal": _MANAGERS | {Role.SALES_REP, Role.INTEGRATION},
    "segments.write": _MANAGERS | {Role.INTEGRATION},
    "segments.preview": frozenset(Role.values),
    "vocabularies.write": _MANAGERS,
    "settings.write": frozenset({Role.ADMIN}),
    "users.write": frozenset({Role.ADMIN}),
    "jobs.see_all": frozenset({Role.ADMIN}),
    "unowned.see": _MANAGERS,
}
# The same in words, for the page of roles.
CAPABILITY_WORDS = {
    "records.write": "Add and change records",
    "records.delete": "Delete and restore records",
    "records.assign": "Give records to other people",
    "records.import": "Import files",
    "records.export": "Export lists",
    "records.export_personal": "Export e-mail addresses and phone numbers",
    "segments.write": "Save, rebuild and archive segments",
    "segments.preview": "Try out rules and count",
    "vocabularies.write": "Keep vocabularies, custom fields, pipelines and catalogues",
    "settings.write": "Keep the organisation's settings and read the audit log",
    "users.write": "Invite users, keep teams, territories and tokens",
    "jobs.see_all": "See everybody's background jobs",
    "unowned.see": "See records that nobody owns",
}
SIGHT_WORDS = {
    Role.ADMIN: "everything",
    Role.MARKETING_MANAGER: "everything",
    Role.SALES_MANAGER: "the team's records and territories",
    Role.SALES_REP: "own records and territories",
    Role.ANALYST: "everything",
    Role.VIEWER: "everything",
    Role.INTEGRATION: "everything",
}


def can(user: AnyUser, capability: str) -> bool:
    """Tell whether the user's role holds the capability (0 queries).

    Raises KeyError for a capability that is not declared, so that a typing error never opens a door.
    """
    roles = CAPABILITIES[capability]
    return bool(user.is_authenticated and user.is_active and getattr(user, "role", None) in roles)


@dataclass(frozen=True)
class Visibility:
    """What part of the records a user sees.

    everything: no restriction. nothing: no record at all. Else a record is seen when its owner or sdr is in
    `owner_ids`, its country is in `countries`, or its sales region lies at or under one of `region_slugs`;
    `unowned`: also records without account and owner.
    """

    everything: bool = False
    nothing: bool = False
    unowned: bool = False
    owner_ids: frozenset[int] = frozenset()
    countries: frozenset[str] = frozenset()
    region_slugs: frozenset[str] = frozenset()
    # What was looked up and built for this visibility, for as long as it is kept: nothing else may go in.
    found: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)


# Of those who see everything: what is built for one of them serves the next.
_EVERYTHING = Visibility(everything=True, unowned=True)


def keep_visibility(user: AnyUser) -> Visibility:
    """Work out once what a user sees, for everything that is read for one page (up to 2 queries).

    Only for the user of a request, which no longer lives when territories change.
    """
    if isinstance(user, User):
        user.__dict__["_visibility"] = None
        user.__dict__["_visibility"] = visibility(user)
    return visibility(user)


def visibility(user: AnyUser) -> Visibility:
    """Return what the user sees: everything, nothing, or by owner and territory (up to 2 queries)."""
    if not user.is_authenticated or not user.is_active or not isinstance(user, User):
        return Visibility(nothing=True)
    kept: Visibility | None = user.__dict__.get("_visibility")
    if kept is not None:
        return kept
    if user.role in SEES_EVERYTHING:
        return _EVERYTHING
    if user.role == Role.SALES_REP:
        owner_ids, territories = {user.pk}, Territory.objects.filter(users=user)
        if user.team_id:
            territories = territories | Territory.objects.filter(teams=user.team_id)
    elif user.role == Role.SALES_MANAGER:
        owner_ids = {user.pk}
        territories = Territory.objects.filter(users=user)
        if user.team_id:
            # A sales manager sees what every member of the team sees, territories of their own included.
            owner_ids |= set(User.objects.filter(team_id=user.team_id).values_list("pk", flat=True))
            territories = Territory.objects.filter(users__in=owner_ids) | Territory.objects.filter(teams=user.team_id)
    else:
        return Visibility(nothing=True)
    countries: set[str] = set()
    regions: set[str] = set()
    for territory in territories.distinct():
        countries.update(territory.countries)
        regions.update(territory.region_slugs)
    return Visibility(
        unowned=can(user, "unowned.see"),
        owner_ids=frozenset(owner_ids),
        countries=frozenset(countries),
        region_slugs=frozenset(regions),
    )
