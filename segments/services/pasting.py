"""Putting many records into a static segment from pasted text: e-mails, domains, ids or names, one a line."""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from pyroaring import BitMap, BitMap64

from accounts.models import Import
from accounts.models.imports import ImportState
from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_now
from segmentation_crm.common.folding import fold
from segmentation_crm.common.models import User
from segmentation_crm.common.services import audit

from ..choices import MemberType, OverrideMode, RunCause, SegmentKind, SegmentStatus
from ..models import Segment, SegmentOverride
from ..queries import records_visible_to
from .composing import hold, within_parent
from .membership import current_members, owner_column
from .saving import queue_rebuild
from .storing import store_difference

MOST_LINES = 20_000
LONGEST_LINE = 320
REASON = "Pasted into the segment."
_SEPARATORS = re.compile(r"[\r\n;\t]+")
_URL = re.compile(r"^(?:https?://)?(?:www\.)?([^/\s]+)/?.*$", re.IGNORECASE)


@dataclass(frozen=True)
class Unmatched:
    """A line that names no record, or more than one: its number, its text, and why."""

    line: int
    text: str
    why: str


@dataclass
class Report:
    """What came of the lines: how many records are new, were in before, are kept out by hand; and what fits nothing."""

    added: int = 0
    already: int = 0
    kept_out: int = 0
    outside_parent: int = 0
    unmatched: list[Unmatched] = field(default_factory=list)


def paste_members(user: AnyUser, segment: Segment, text: str, reason: str = "") -> Report:
    """Put the records that the lines name into the static segment (about 12 queries, however many lines).

    A line is an id, an e-mail or full name of a contact, or a domain, address or name of an account; only records
    that the user sees are found. Raises ValidationError naming the field, or PermissionDenied.
    """
    if not can(user, "segments.write"):
        raise PermissionDenied("Your role may read segments, not change them.")
    if segment.kind != SegmentKind.STATIC or segment.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"segment": "Only a static segment in use takes pasted members."})
    lines = _lines(text)
    found, unmatched = _matched(user, segment.member_type, lines)
    reason = " ".join(reason.split()) or REASON
    if len(reason) > 500:
        raise ValidationError({"reason": "A reason has at most 500 characters."})
    with transaction.atomic():
        report = _put_in(user, segment, found, reason)
        report.unmatched = unmatched
        audit.record(user, "segment.pasted", segment, added=report.added, unmatched=len(unmatched))
        if report.added:
            queue_rebuild(segment, user, RunCause.MANUAL)
    return report


def add_imported(user: AnyUser, segment: Segment, record: Import) -> Report:
    """Put the records that a finished import wrote, and that the user sees, into the static segment (12 queries).

    Raises ValidationError naming `imported`, or PermissionDenied.
    """
    if not can(user, "segments.write"):
        raise PermissionDenied("Your role may read segments, not change them.")
    if record.type != f"{segment.member_type}s" or record.state != ImportState.DONE:
        words = f"Choose a finished import of {segment.get_member_type_display().lower()}."
        raise ValidationError({"imported": words})
    written = BitMap64.deserialize(bytes(record.touched_ids)) if record.touched_ids else ()
    visible = records_visible_to(segment.member_type, user).order_by().values_list("pk", flat=True)
    keys = BitMap(written)
    keys &= BitMap(visible.filter(pk__in=list(keys)) if len(keys) <= 1_000 else visible.iterator(chunk_size=20_000))
    with transaction.atomic():
        report = _put_in(user, segment, keys, f"In the import of {record.file_name}"[:500])
        audit.record(user, "segment.imported", segment, added=report.added, file=record.file_name)
        if report.added:
            queue_rebuild(segment, user, RunCause.MANUAL)
    return report


def _lines(text: str) -> list[tuple[int, str]]:
    """Return (number, text) of the lines that hold something; commas part lines only between e-mails.

    Raises ValidationError naming text.
    """
    if "\x00" in text:
        raise ValidationError({"text": "The text holds a NUL character."})
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        pieces = _SEPARATORS.split(line)
        if line.count("@") > 1:
            pieces = [one for piece in pieces for one in piece.split(",")]
        found += [(number, piece.strip().strip('"<>').strip()) for piece in pieces if piece.strip().strip('"<>,')]
    if not found:
        raise ValidationError({"text": "Paste one id, e-mail, domain or name a line."})
    if len(found) > MOST_LINES:
        raise ValidationError({"text": f"At most {MOST_LINES:,} entries at once; this holds {len(found):,}."})
    return found


def _matched(user: AnyUser, member_type: str, lines: list[tuple[int, str]]) -> tuple[BitMap, list[Unmatched]]:
    """Return the keys of the records named, and the lines that name none or several (3 to 5 queries)."""
    words = "account" if member_type == MemberType.ACCOUNT else "contact"
    keys_of = _keys_by_word(user, member_type, {text for _, text in lines if len(text) <= LONGEST_LINE})
    found, unmatched = BitMap(), []
    for number, text in lines:
        keys = keys_of.get(text, ())
        if len(keys) == 1:
            found.update(keys)
        elif keys:
            unmatched.append(Unmatched(number, text[:LONGEST_LINE], f"{len(keys)} {words}s fit; use the id of one."))
        else:
            unmatched.append(Unmatched(number, text[:LONGEST_LINE], f"No {words} that you see fits."))
    return found, unmatched


def _keys_by_word(user: AnyUser, member_type: str, texts: set[str]) -> dict[str, set[int]]:
    """Return the keys of the visible records that each text names: by id, else by address, else by name."""
    rows = records_visible_to(member_type, user).order_by()
    ids = {text: int(text) for text in texts if text.isascii() and text.isdigit() and len(text) < 18}
    standing = _pairs(rows, "pk", set(ids.values()))
    found = {text: {key} for text, key in ids.items() if key in standing}
    folded = {text: fold(text) for text in texts - found.keys()}
    if member_type == MemberType.ACCOUNT:
        hosts = {text: _host(word) for text, word in folded.items()}
        steps: tuple[tuple[str, dict[str, str]], ...] = (("domain", hosts), ("name_folded", folded))
    else:
        steps = (("email_folded", folded), ("full_name_folded", folded))
    for column, words in steps:
        by_word = _pairs(rows, column, {word for text, word in words.items() if text not in found and word})
        for text, word in words.items():
            if text not in found and word in by_word:
                found[text] = by_word[word]
    return found


def _host(word: str) -> str:
    """Return the domain in an address or e-mail, "" where there is none: "https://www.acme.com/x" is acme.com."""
    match = _URL.match(word.rpartition("@")[2])
    host = match.group(1).split(":")[0] if match else ""
    return host if "." in host else ""


def _pairs(rows: QuerySet[Any], column: str, words: Collection[Any]) -> dict[Any, set[int]]:
    """Return value -> keys of the rows whose column has one of the values (1 query for each 5,000)."""
    found: dict[Any, set[int]] = {}
    waiting = sorted(words)
    for start in range(0, len(waiting), 5_000):
        part = rows.filter(**{f"{column}__in": waiting[start : start + 5_000]})
        for key, value in part.values_list("pk", column):
            found.setdefault(value, set()).add(key)
    return found


def _put_in(user: AnyUser, segment: Segment, keys: BitMap, reason: str) -> Report:
    """Write the decisions and the members, in the caller's transaction."""
    current = hold(segment.pk)
    if current is None or current.kind != SegmentKind.STATIC or current.status == SegmentStatus.ARCHIVED:
        raise ValidationError({"segment": "Only a static segment in use takes pasted members."})
    column = owner_column(current)
    decided: dict[int, str] = dict(SegmentOverride.objects.filter(segment=current).values_list(column, "mode"))
    kept_out = BitMap(key for key in keys if decided.get(key) == OverrideMode.EXCLUDE)
    standing = BitMap(key for key in keys if decided.get(key) == OverrideMode.INCLUDE)
    new = keys - kept_out - standing
    by = user if isinstance(user, User) else None
    now = timezone.now()
    make = SegmentOverride
    bulk_insert(
        [make(segment=current, mode=OverrideMode.INCLUDE, reason=reason, by=by, at=now, **{column: key}) for key in new]
    )
    entering = within_parent(current, new)
    entered = entering - current_members(current)
    store_difference(
        current,
        entered,
        BitMap(),
        as_of=effective_now(),
        cause=RunCause.MANUAL,
        version=current.rules_version,
        manual=True,
    )
    return Report(len(entering), len(standing), len(kept_out), len(new) - len(entering))
