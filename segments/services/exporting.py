"""Members as CSV, row by row, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.exports import TooManyExports, count_export, safe_cell
from segmentation_crm.common.fields import registry
from segmentation_crm.common.services import audit

from ..choices import MemberType
from ..history.comparing import visible_keys
from ..history.moves import Move, moves_of
from ..history.words import CauseWords
from ..models import Segment, SegmentMembership
from ..queries import memberships_visible_to, records_visible_to, sees_every_record, visible_accounts_of

__all__ = ["TooManyExports", "export_members", "export_moves"]

PAGE = 1000


class _Echo:
    def write(self, line: str) -> str:
        return line


def export_members(segment: Segment, user: AnyUser) -> Iterator[str]:
    """Return the lines of the CSV of the members that the user may see; e-mails only for those who may have them.

    Raises PermissionDenied, or TooManyExports.
    """
    if not can(user, "records.export"):
        raise PermissionDenied("Your role does not export records.")
    count_export(user)
    audit.record(user, "segment.exported", segment)
    return _lines(segment, user, personal=can(user, "records.export_personal"))


def _lines(segment: Segment, user: AnyUser, *, personal: bool) -> Iterator[str]:
    writer = csv.writer(_Echo())
    is_account = segment.member_type == MemberType.ACCOUNT
    head = ["id", "name", "domain"] if is_account else ["id", "first_name", "last_name", "job_title", "account"]
    if personal and not is_account:
        head.append("email")
    # The mark tells spreadsheets that this is UTF-8.
    yield "\ufeff" + writer.writerow([*head, "entered_at", "manual"])
    last = 0
    # Pages by key, not one long cursor: on SQLite that would hold back every writer's checkpoint.
    while rows := list(memberships_visible_to(segment, user).filter(pk__gt=last).order_by("pk")[:PAGE]):
        accounts = visible_accounts_of(rows, user)
        for row in rows:
            cells = [*_cells(row, accounts, personal=personal), row.entered_at.isoformat(), row.manual]
            yield writer.writerow([safe_cell(cell) for cell in cells])
        last = rows[-1].pk


def _cells(row: SegmentMembership, accounts: dict[int, str], *, personal: bool) -> list[Any]:
    if row.account is not None:
        return [row.account.pk, row.account.name, row.account.domain]
    contact = row.contact
    assert contact is not None  # the table's check: exactly one of the two
    cells = [contact.pk, contact.first_name, contact.last_name, contact.job_title]
    cells.append(accounts.get(contact.account_id, "") if contact.account_id else "")
    return [*cells, contact.email] if personal else cells


def export_moves(segment: Segment, user: AnyUser, since: datetime, until: datetime) -> Iterator[str]:
    """Return the lines of the CSV of who came and went after `since` and up to `until`, as far as the user may see.

    What a personal field held is left out for those who may not export it. Raises PermissionDenied, or TooManyExports.
    """
    if not can(user, "records.export"):
        raise PermissionDenied("Your role does not export records.")
    count_export(user)
    audit.record(user, "segment.moves_exported", segment, since=since.isoformat(), until=until.isoformat())
    return _move_lines(segment, user, since, until, personal=can(user, "records.export_personal"))


def _move_lines(segment: Segment, user: AnyUser, since: datetime, until: datetime, *, personal: bool) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield "\ufeff" + writer.writerow(["at", "change", "id", "name", "cause", "why", "rule_version"])
    visible = None if sees_every_record(user) else visible_keys(segment.member_type, user)
    after: tuple[int, int, int] | None = None
    while True:
        moves = moves_of(segment, since=since, until=until, visible=visible, after=after, limit=PAGE)
        names = names_of(segment, user, moves)
        words = CauseWords(moves, user, segment.member_type)
        for move in moves:
            if move.key not in names:
                continue
            why = words.of(move) if personal or not _is_personal(move) else ""
            change = "entered" if move.entered else "left"
            cells = [move.at.isoformat(), change, move.key, names[move.key], move.cause, why, move.version]
            yield writer.writerow([safe_cell(cell) for cell in cells])
        if len(moves) < PAGE:
            return
        after = moves[-1].place


def names_of(segment: Segment, user: AnyUser, moves: list[Move]) -> dict[int, str]:
    """Return id -> name of the records that moved, as far as the user sees them (1 query)."""
    keys = {move.key for move in moves}
    return {row.pk: str(row) for row in records_visible_to(segment.member_type, user).filter(pk__in=keys)}


def _is_personal(move: Move) -> bool:
    field = registry.field(move.field) if move.field else None
    return field is not None and field.personal
