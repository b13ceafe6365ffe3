"""The columns of related records on a record's page."""

from ..lists.cells import (
    activity_about,
    contact_cell,
    country,
    lifecycle,
    opportunity_cell,
    person,
    stage_badge,
)
from .seen import Seen
from .tables import Column, amount, text, when


def contact_columns(seen: Seen, with_account: bool = True) -> list[Column]:
    """Return the columns of contacts."""
    columns = [Column("Contact", contact_cell, "name")]
    if with_account:
        columns.append(Column("Account", seen.account, "account"))
    return [
        *columns,
        Column("E-mail", lambda c: {"kind": "mail", "value": c.email}, "email"),
        Column("Department", lambda c: text(c.get_department_display())),
        Column("Seniority", lambda c: text(c.get_seniority_display())),
        Column("Lifecycle", lifecycle, "lifecycle_stage"),
        Column("Owner", lambda c: person(c.owner)),
        Column("Changed", lambda c: when(c.updated_at), "updated_at", numeric=True),
    ]


def opportunity_columns(seen: Seen, with_account: bool = True) -> list[Column]:
    """Return the columns of opportunities."""
    columns = [Column("Opportunity", opportunity_cell, "name")]
    if with_account:
        columns.append(Column("Account", seen.account, "account"))
    return [
        *columns,
        Column("Stage", stage_badge, "stage"),
        Column("Amount", lambda o: amount(o.amount, o.amount_currency), "amount", numeric=True),
        Column("Product", lambda o: text(o.product.name if o.product else o.product_text)),
        Column("Opened", lambda o: when(o.opened_on), "opened_on", numeric=True),
        Column("Expected close", lambda o: when(o.expected_close), "expected_close", numeric=True),
        Column("Closed", lambda o: when(o.closed_at), "closed_at", numeric=True),
        Column("Owner", lambda o: person(o.owner)),
    ]


def activity_columns(seen: Seen) -> list[Column]:
    """Return the columns of activities."""
    return [
        Column("When", lambda a: when(a.occurred_at), "occurred_at"),
        Column("What", lambda a: text(a.get_type_display()), "type"),
        Column("About", lambda a: text(activity_about(a))),
        Column("Contact", seen.contact),
        Column("Account", seen.account),
        Column("Direction", lambda a: text(a.get_direction_display())),
        Column("By", lambda a: person(a.user)),
    ]


__all__ = ["activity_about", "activity_columns", "contact_columns", "country", "opportunity_columns"]
