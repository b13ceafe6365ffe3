"""Members as CSV, row by row, safe to open in a spreadsheet."""

import csv
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied

from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.exports import TooManyExports, count_export, safe_cell
from segmentation_crm.common.services import audit

from ..choices import MemberType
from ..models import Segment, SegmentMembership
from ..queries import memberships_visible_to, visible_accounts_of

__all__ = ["TooManyExports", "export_members"]

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
