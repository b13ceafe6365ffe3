"""What events point to: all references of a call are looked up at once, among what the caller may see."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser, visibility
from segmentation_crm.common.among import KeyAmong
from segmentation_crm.common.folding import fold
from segmentation_crm.common.models import User

from ..choices import RecordType, Vocabulary
from ..models import ExternalId, Term
from ..queries import (
    accounts_visible_to,
    campaign_refs_visible_to,
    contacts_visible_to,
    content_visible_to,
    opportunities_visible_to,
)
from .event_values import EventDraft, Problem, printable
from .normalisation import normalise_email

_SEVERAL = "contact, contact_external_id and email name different people; name one of them."
_NOT_SEEN = "You would not see this event: name a contact, account or opportunity that you may see."


@dataclass(frozen=True)
class _Target:
    """Where a reference points to; slug: the column that a text names, name: the folded one it may name as well."""

    rows: Callable[[AnyUser], "QuerySet[Any]"]
    noun: str
    slug: str = ""
    name: str = ""


_TARGETS = {
    "account": _Target(accounts_visible_to, "account"),
    "opportunity": _Target(opportunities_visible_to, "opportunity"),
    "campaign": _Target(campaign_refs_visible_to, "campaign", "slug", "name_folded"),
    "content": _Target(content_visible_to, "content item"),
    "topic": _Target(lambda _user: Term.objects.filter(vocabulary=Vocabulary.TOPIC), "topic", "slug", "name_folded"),
    "user": _Target(lambda _user: User.objects.filter(is_active=True), "user", "username"),
}


def link_events(drafts: Iterable[EventDraft], user: AnyUser) -> tuple[list[EventDraft], list[Problem]]:
    """Set the foreign keys of the events; returns those that are right, and what is wrong with the others.

    Up to 4 queries for contacts and up to 3 for each other kind of reference that is used, however many events. What
    the caller may not see is unknown, like what does not exist.
    """
    events = list(drafts)
    problems = _link_contacts(events, user)
    for name, target in _TARGETS.items():
        problems += _link(events, name, target, user)
    seen = visibility(user)
    wrong = {problem.index for problem in problems}
    for event in events:
        named = any(event.columns.get(f"{name}_id") for name in ("contact", "account", "opportunity"))
        hidden = not named and not seen.unowned and event.columns.get("user_id") not in seen.owner_ids
        if hidden and event.index not in wrong:
            problems.append(Problem(event.index, "contact", "not_visible", _NOT_SEEN))
            wrong.add(event.index)
    return [event for event in events if event.index not in wrong], problems


def _link(events: list[EventDraft], name: str, target: _Target, user: AnyUser) -> list[Problem]:
    naming = [event for event in events if name in event.links]
    if not naming:
        return []
    wanted = {event.links[name] for event in naming}
    rows = target.rows(user).order_by()
    known: dict[Any, int] = {}
    if keys := [value for value in wanted if type(value) is int]:
        known.update({pk: pk for pk in rows.filter(KeyAmong("pk", keys)).values_list("pk", flat=True)})
    texts = {value for value in wanted if type(value) is str}
    if texts and target.name:
        by_fold = dict(rows.filter(**{f"{target.name}__in": {fold(t) for t in texts}}).values_list(target.name, "pk"))
        known.update({text: by_fold[fold(text)] for text in texts if fold(text) in by_fold})
    if texts and target.slug:
        known.update(rows.filter(**{f"{target.slug}__in": texts}).values_list(target.slug, "pk"))
    problems = []
    for event in naming:
        value = event.links[name]
        if value in known:
            event.columns[f"{name}_id"] = known[value]
        elif type(value) is str and not target.slug:
            problems.append(Problem(event.index, name, "invalid_type", f"Give the id of the {target.noun}."))
        else:
            words = f"There is no {target.noun} {printable(str(value))[:60]}."
            problems.append(Problem(event.index, name, "does_not_exist", words))
    return problems


def _link_contacts(events: list[EventDraft], user: AnyUser) -> list[Problem]:
    ways = ("contact", "contact_external_id", "email")
    naming = [event for event in events if any(event.links.get(way) not in (None, "") for way in ways)]
    if not naming:
        return []
    known = _Contacts(naming, user)
    problems = []
    for event in naming:
        found: set[int] = set()
        for way in ways:
            if event.links.get(way) in (None, ""):
                continue
            key = known.by(way, event)
            if key is None:
                words = f"There is no contact {printable(str(event.links[way]))[:100]}."
                problems.append(Problem(event.index, way, "unknown_contact", words))
                break
            found.add(key)
        else:
            if len(found) > 1:
                problems.append(Problem(event.index, "contact", "contradiction", _SEVERAL))
            event.columns["contact_id"] = next(iter(found))
    return problems


class _Contacts:
    """The contacts that events name, by each of the three ways (≤ 4 queries)."""

    def __init__(self, events: list[EventDraft], user: AnyUser) -> None:
        elsewhere = {_elsewhere(event) for event in events if event.links.get("contact_external_id")}
        numbers: dict[tuple[str, str], int] = {}
        if elsewhere:
            rows = ExternalId.objects.filter(
                record_type=RecordType.CONTACT,
                source__in={source for source, _ in elsewhere},
                external_id__in={number for _, number in elsewhere},
            ).order_by()
            found = rows.values_list("source", "external_id", "record_id")
            numbers = {(source, number): pk for source, number, pk in found if (source, number) in elsewhere}
        seen = contacts_visible_to(user).order_by()
        keys = {event.links["contact"] for event in events if type(event.links.get("contact")) is int}
        keys |= set(numbers.values())
        self._live = set(seen.filter(KeyAmong("pk", keys)).values_list("pk", flat=True)) if keys else set()
        self._numbers = {name: pk for name, pk in numbers.items() if pk in self._live}
        addresses = {_address(event.links["email"]) for event in events if event.links.get("email")}
        self._addresses: dict[str, int] = {}
        if addresses:
            self._addresses = dict(seen.filter(email__in=addresses).values_list("email", "pk"))

    def by(self, way: str, event: EventDraft) -> int | None:
        """Return the key of the contact that the event names this way, None where there is none."""
        if way == "email":
            return self._addresses.get(_address(event.links["email"]))
        if way == "contact_external_id":
            return self._numbers.get(_elsewhere(event))
        key = event.links["contact"]
        return key if key in self._live else None


def _elsewhere(event: EventDraft) -> tuple[str, str]:
    """Return system and number of the contact; the system is the event's own unless another is named."""
    return event.links.get("contact_source") or event.source, event.links["contact_external_id"]


def _address(email: str) -> str:
    return normalise_email(email) or email.strip().lower()
