"""The columns of each kind of record, in lists and on the pages of related records."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse

from ..fields.places import COUNTRIES
from ..models import Account, Activity, Contact, Opportunity
from .seen import Seen
from .tables import Cell, Column, amount, badge, figure, link, text, when

COUNTRY_NAMES = {choice.value: choice.label for choice in COUNTRIES}
LIFECYCLE_TONES = {"customer": "ok", "former": "bad", "opportunity": "info", "mqa": "info", "sql": "info"}


def country(code: str) -> str:
    """Return the country's name for an ISO code."""
    return COUNTRY_NAMES.get(code, code)


def person(user: Any) -> Cell:
    """Return the cell of one of us."""
    return text(user.display_name if user else "")


def account_cell(account: Account) -> Cell:
    """Return the cell that leads to an account."""
    url = reverse("accounts:account_detail", args=[account.pk])
    return link(account.name, url, account.domain or account.city, "company")


def contact_cell(contact: Contact) -> Cell:
    """Return the cell that leads to a contact."""
    url = reverse("accounts:contact_detail", args=[contact.pk])
    return link(contact.name, url, contact.job_title, "person")


def opportunity_cell(opportunity: Opportunity) -> Cell:
    """Return the cell that leads to an opportunity."""
    url = reverse("accounts:opportunity_detail", args=[opportunity.pk])
    return link(opportunity.name, url, opportunity.next_step)


def stage_badge(opportunity: Opportunity) -> Cell:
    """Return the stage, toned by won and lost."""
    stage = opportunity.stage
    if stage is None:
        return badge("")
    return badge(stage.name, "ok" if stage.is_won else "bad" if stage.is_lost else "info")


def lifecycle(record: Any) -> Cell:
    """Return the lifecycle stage."""
    tone = LIFECYCLE_TONES.get(record.lifecycle_stage, "")
    return badge(record.get_lifecycle_stage_display() if record.lifecycle_stage else "", tone)


ACCOUNT_COLUMNS: Sequence[Column] = (
    Column("Account", account_cell, "name"),
    Column("Type", lambda a: text(a.get_account_type_display())),
    Column("Lifecycle", lifecycle, "lifecycle_stage"),
    Column("Industry", lambda a: text(a.industry.name if a.industry else "")),
    Column("Country", lambda a: text(country(a.country)), "country"),
    Column("Employees", lambda a: figure(a.employee_count), "employee_count", numeric=True),
    Column(
        "Revenue",
        lambda a: amount(a.annual_revenue, a.annual_revenue_currency),
        "annual_revenue",
        numeric=True,
    ),
    Column("Owner", lambda a: person(a.owner)),
    Column("Changed", lambda a: when(a.updated_at), "updated_at", numeric=True),
)


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


def activity_about(activity: Activity) -> str:
    """Return what an activity was about: subject, content, page or campaign."""
    content = activity.content.title if activity.content else ""
    campaign = activity.campaign.name if activity.campaign else ""
    return activity.subject or content or activity.url_path or campaign


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
