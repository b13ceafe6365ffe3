"""What every page's template gets: the sidebar's entries, the organisation's name, where the search box leads."""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from .common.access import can
from .common.models import Organisation


@dataclass(frozen=True)
class Entry:
    """One entry of the sidebar; shown where its page exists and the user holds the capability."""

    label: str
    icon: str
    route: str
    capability: str = ""


@dataclass(frozen=True)
class Group:
    """Entries under one heading."""

    title: str
    entries: list[Entry] = field(default_factory=list)


MENU = [
    Group("", [Entry("Home", "home", "home"), Entry("My day", "sun", "accounts:my_day")]),
    Group(
        "Records",
        [
            Entry("Accounts", "building-community", "accounts:account_list"),
            Entry("Contacts", "users", "accounts:contact_list"),
            Entry("Opportunities", "target-arrow", "accounts:opportunity_list"),
            Entry("Board", "layout-kanban", "accounts:board"),
            Entry("Forecast", "chart-bar", "accounts:forecast"),
            Entry("Activities", "activity", "accounts:activity_list"),
            Entry("Evidence", "message", "accounts:evidence"),
        ],
    ),
    Group("Segmentation", [Entry("Segments", "chart-pie", "segments:list")]),
    Group(
        "Data",
        [
            Entry("Imports", "file-import", "accounts:import_list", "records.import"),
            Entry("Exports", "download", "exports:list", "records.export"),
            Entry("Jobs", "progress-check", "jobs:list"),
        ],
    ),
    Group(
        "System",
        [
            Entry("Settings", "settings", "settings", "vocabularies.write"),
            Entry("Admin", "table", "admin:index", "settings.write"),
            Entry("API docs", "api", "api_docs"),
        ],
    ),
]
# A rep's menu is the records and the segments they are in; the API is for those who build on it.
HIDDEN_FROM = {"sales_rep": {"home", "accounts:activity_list", "accounts:evidence", "jobs:list", "api_docs"}}


# After "g", the letter that leads to a page.
GO_TO = (
    ("h", "home"),
    ("m", "accounts:my_day"),
    ("a", "accounts:account_list"),
    ("c", "accounts:contact_list"),
    ("o", "accounts:opportunity_list"),
    ("b", "accounts:board"),
    ("t", "accounts:task_list"),
    ("s", "segments:list"),
)


@lru_cache(maxsize=64)
def address(route: str) -> str:
    """Return the address of a route, '' where this version of the product has no such page (0 queries)."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


def menu_for(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the sidebar's groups for the user, the entry of the current page marked (0 queries)."""
    hidden = HIDDEN_FROM.get(getattr(request.user, "role", ""), set())
    # The first page of who has no other home is the rep's day.
    path = address("accounts:my_day") if request.path == "/" and "home" in hidden else request.path
    groups: list[dict[str, Any]] = []
    for group in MENU:
        items = [
            _item(entry, address(entry.route), path)
            for entry in group.entries
            if address(entry.route)
            and entry.route not in hidden
            and (not entry.capability or can(request.user, entry.capability))
        ]
        if items:
            groups.append({"title": group.title, "items": items})
    # Of entries whose addresses begin alike the longest is the page's own: the board lies below the opportunities.
    active = [item for group in groups for item in group["items"] if item["active"]]
    for item in active:
        item["active"] = len(item["url"]) == max(len(other["url"]) for other in active)
    return groups


def _item(entry: Entry, url: str, path: str) -> dict[str, Any]:
    return {
        "label": entry.label,
        "icon": entry.icon,
        "url": url,
        "current": path == url,
        "active": path == url or (url != "/" and path.startswith(url)),
    }


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of every page shows (1 query, run when a page shows it; 0 for anonymous users)."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {
        "nav_groups": lambda: menu_for(request),
        "organisation_name": lambda: Organisation.current().name,
        "search_url": address("search"),
        "go_to": [(key, address(route)) for key, route in GO_TO if address(route)],
        "current_role": user.role,
        "may_write": can(user, "records.write"),
        "may_import": can(user, "records.import"),
    }
