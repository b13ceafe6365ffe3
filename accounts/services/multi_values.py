"""Writing multi fields: the rows of AccountValue, ContactValue and OpportunityValue."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from ..models import Account, Contact, Opportunity, Term
from .changes import record_values


@transaction.atomic
def set_multi_values(record: Account | Contact | Opportunity, field: str, items: Iterable[Any]) -> bool:
    """Make the values of a multi field these tokens, terms or codes; returns whether anything changed.

    Rows that stay are left alone (1 query, 1 more to remove, 1 more to add, 2 for the log of changes).
    """
    manager: Any = record.values_multi
    rows = manager.filter(field=field)
    held = {row.token or row.term_id or row.code_id: row.pk for row in rows}
    wanted = {item if isinstance(item, str) else item.pk: item for item in items}
    gone = [pk for value, pk in held.items() if value not in wanted]
    new = [item for value, item in wanted.items() if value not in held]
    if gone:
        rows.filter(pk__in=gone).delete()
    if new:
        owner = str(record._meta.model_name)
        manager.bulk_create(manager.model(**{owner: record, "field": field, _column(item): item}) for item in new)
    if gone or new:
        record_values(record, field, list(held), list(wanted))
    return bool(gone or new)


def _column(item: Any) -> str:
    if isinstance(item, str):
        return "token"
    return "term" if isinstance(item, Term) else "code"
