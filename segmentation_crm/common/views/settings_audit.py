"""The audit log as a page: who changed what, when, from what to what; filters stand in the address."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_GET

from ..models import AuditEntry, Organisation, User
from ..paging import keyset_page
from ..settings_area import settings_page, settings_view

NOUNS = {
    "custom_field": "Custom field", "exchange_rate": "Exchange rate", "organisation": "Organisation",
    "persona": "Persona", "pipeline": "Pipeline", "product": "Product", "role_template": "Role template",
    "role_template_role": "Role template line", "stage": "Stage", "team": "Team",
    "technology_product": "Technology", "term": "Vocabulary term", "term_alias": "Vocabulary alias",
    "territory": "Territory", "token": "API token", "user": "User", "vendor": "Vendor", "access": "Access",
}  # fmt: skip


@settings_view("settings.write")
@require_GET
def audit_log(request: HttpRequest) -> HttpResponse:
    """Show the log, newest first, by actor, action, object and days (3 queries, however long it is)."""
    entries, problems = filtered(request.GET)
    page = keyset_page(request, entries.order_by("-id"), 50)
    for entry in page.rows:
        entry.shown_changes = changes_of(entry)
        entry.shown_action = action_words(entry.action)
    asked = {name: request.GET.get(name, "")[:100] for name in ("actor", "noun", "verb", "object", "since", "until")}
    context = {
        "page": page,
        "problems": problems,
        "asked": asked,
        "is_filtered": any(asked.values()),
        "people": User.objects.filter(is_active=True).order_by("first_name", "username")[:500],
        "nouns": sorted(NOUNS.items(), key=lambda pair: pair[1]),
        "verbs": ["created", "changed", "deleted", "merged", "revoked", "deactivated", "password_changed", "denied"],
    }
    return settings_page(request, "settings/audit.html", context)


def filtered(asked: Any) -> tuple["QuerySet[AuditEntry]", list[str]]:
    """Return the entries that the parameters ask for, and in words which parameter could not be read."""
    entries, problems = AuditEntry.objects.select_related("actor"), []
    actor = asked.get("actor", "")
    if actor == "system":
        entries = entries.filter(actor_name="system")
    elif actor.isascii() and actor.isdecimal() and len(actor) < 19:
        entries = entries.filter(actor=int(actor))
    elif actor:
        problems.append("The person could not be read: choose one from the list.")
    if noun := asked.get("noun", "")[:60]:
        entries = entries.filter(action__startswith=f"{noun}.")
    if verb := asked.get("verb", "")[:60]:
        entries = entries.filter(action__endswith=f".{verb}")
    if name := asked.get("object", "")[:100].replace("\x00", ""):
        entries = entries.filter(object_name__icontains=name)
    zone = Organisation.current().time_zone
    for key, lookup in (("since", "gte"), ("until", "lt")):
        if not (text := asked.get(key, "")):
            continue
        try:
            day = parse_date(text)
        except ValueError:
            day = None
        if day is None or not 1900 <= day.year <= 9000:
            problems.append(f"“{text[:40]}” is no day: write it like 2026-03-31.")
            continue
        start = day + dt.timedelta(days=1) if lookup == "lt" else day
        moment = timezone.make_aware(dt.datetime.combine(start, dt.time()), ZoneInfo(zone))
        entries = entries.filter(**{f"at__{lookup}": moment})
    return entries, problems


def action_words(action: str) -> str:
    """Return an action as people read it: "Stage changed"."""
    noun, _, verb = action.partition(".")
    return f"{NOUNS.get(noun, noun.replace('_', ' ').capitalize())} {verb.replace('_', ' ')}"


def changes_of(entry: AuditEntry) -> list[dict[str, str]]:
    """Return what an entry says changed, as texts."""
    listed = entry.details.get("changes")
    if not isinstance(listed, list):
        return [
            {"field": name.replace("_", " "), "old": "", "new": text_of(value)}
            for name, value in entry.details.items()
            if value not in (None, "", [], {}) and name != "via"
        ]
    return [
        {"field": str(one["field"]).replace("_", " "), "old": text_of(one.get("old")), "new": text_of(one.get("new"))}
        for one in listed
        if isinstance(one, dict) and "field" in one
    ]


def text_of(value: Any) -> str:
    """Return a kept value as people read it."""
    if value is None or value == "" or value == [] or value == {}:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{key}: {text_of(one)}" for key, one in value.items())
    if isinstance(value, list):
        return ", ".join(text_of(one.get("label", one) if isinstance(one, dict) else one) for one in value)
    return str(value)
