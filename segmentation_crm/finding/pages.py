"""Pages and actions that the palette finds by name, as far as the user's role goes."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from ..common.access import can
from ..common.folding import fold
from ..context import address, menu_for


@dataclass(frozen=True)
class Action:
    """Something to do: a page that does it, or a `command` that the page's script carries out."""

    label: str
    icon: str
    words: str = ""
    route: str = ""
    command: str = ""
    capability: str = ""


ACTIONS = (
    Action("Log a call", "phone", "record activity", command="log:call", capability="records.write"),
    Action("Log a meeting", "users", "record activity", command="log:meeting", capability="records.write"),
    Action("Write a note", "note", "comment", command="log:note", capability="records.write"),
    Action("New task", "checkbox", "todo reminder follow-up", command="log:task", capability="records.write"),
    Action("New account", "building-community", "add company", "accounts:account_new", capability="records.write"),
    Action("New contact", "user-plus", "add person", "accounts:contact_new", capability="records.write"),
    Action("New opportunity", "target-arrow", "add deal", "accounts:opportunity_new", capability="records.write"),
    Action("New segment", "chart-pie", "build rule filter", "segments:new", capability="segments.write"),
    Action("Import a file", "file-import", "upload csv excel", "accounts:import_new", capability="records.import"),
    Action("Contacts without account", "users", "match unmatched leads", "accounts:unmatched"),
    Action("Opportunity board", "columns", "pipeline kanban stages", "accounts:board"),
    Action("Forecast", "chart-pie", "pipeline commit best case", "accounts:forecast"),
    Action("Profile and API tokens", "user", "password token account settings", "profile"),
    Action("Two-factor log-in", "shield-lock", "mfa totp passkey security", "mfa_index"),
    Action("Switch to the dark theme", "moon", "appearance colours", command="theme:dark"),
    Action("Switch to the light theme", "sun", "appearance colours", command="theme:light"),
    Action("Keyboard shortcuts", "info-circle", "help keys", command="shortcuts"),
)


def pages_found(request: HttpRequest, text: str, limit: int) -> list[dict[str, Any]]:
    """Return the pages of the menu whose name holds every word of the text (0 queries)."""
    entries = [item for group in menu_for(request) for item in group["items"]]
    hits = [entry for entry in entries if _holds(entry["label"], text)]
    return [{"label": e["label"], "sub": "Page", "url": e["url"], "icon": e["icon"]} for e in hits[:limit]]


def actions_found(request: HttpRequest, text: str, limit: int) -> list[dict[str, Any]]:
    """Return the actions the user may take that hold every word of the text, all of them for "" (0 queries)."""
    return [_shown(action) for action in _allowed(request) if _holds(f"{action.label} {action.words}", text)][:limit]


def _allowed(request: HttpRequest) -> Iterator[Action]:
    for action in ACTIONS:
        there = action.command or address(action.route)
        if there and (not action.capability or can(request.user, action.capability)):
            yield action


def _shown(action: Action) -> dict[str, Any]:
    url = address(action.route) if action.route else ""
    return {"label": action.label, "sub": "Action", "url": url, "command": action.command, "icon": action.icon}


def _holds(words: str, text: str) -> bool:
    folded = fold(words)
    return all(part in folded for part in fold(text).split())
