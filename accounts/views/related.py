"""Tabs of a record's page: the kinds of related records that exist, and one page of the chosen kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from .columns import activity_about, activity_columns, contact_columns, opportunity_columns
from .lists import simple_table
from .seen import Seen
from .tables import Cell, Column, Table, amount, badge, figure, table, text, when

Rows = Callable[[Any, Any], QuerySet]  # (user, record) -> the related rows the user may see
TONES = {"active": "ok", "in_use": "ok", "cancelled": "bad", "expired": "bad", "critical": "bad", "high": "warn"}


@dataclass(frozen=True)
class Tab:
    """One kind of related records: its rows in order, and their columns."""

    key: str
    label: str
    unit: str
    unit_plural: str
    rows: Rows
    columns: Callable[[Seen], Sequence[Column]]
    with_contacts: bool = False


def related_context(request: HttpRequest, record: Any, tabs: Sequence[Tab], base_url: str) -> dict[str, Any]:
    """Return the tabs that have rows and the table of the chosen one (1 query a tab, 2 for the table).

    Raises Http404 for a tab that does not exist.
    """
    chosen = request.GET.get("tab", "")
    if chosen and chosen not in {tab.key for tab in tabs}:
        raise Http404("no such tab")
    found = [{"label": "Overview", "url": base_url, "active": not chosen, "count": None}]
    context: dict[str, Any] = {"chosen_tab": chosen}
    for tab in tabs:
        rows = tab.rows(request.user, record)
        if tab.key == chosen:
            context["tab"], context["tab_table"] = tab, _table(request, rows, tab)
        if tab.key == chosen or rows.exists():
            url = f"{base_url}?tab={tab.key}"
            found.append({"label": tab.label, "url": url, "active": tab.key == chosen, "count": None})
    context["tabs"] = found if len(found) > 1 else []
    return context


def _table(request: HttpRequest, rows: QuerySet, tab: Tab) -> Table:
    # The columns need the page's rows first, to know which of the records they name may be seen.
    page = simple_table(request, rows, [], tab.unit, tab.unit_plural).page
    seen = Seen(request.user, page.rows, tab.with_contacts)
    return table(tab.columns(seen), page, tab.unit, tab.unit_plural)


def token_badge(row: Any, name: str) -> Cell:
    """Return a closed token as a badge."""
    value = getattr(row, name)
    return badge(getattr(row, f"get_{name}_display")() if value else "", TONES.get(value, ""))


def product_words(row: Any) -> Cell:
    """Return the product, else its text as imported."""
    return text(row.product.name if row.product else row.product_text)


def people(seen: Seen) -> list[Column]:
    """Return the columns of an account's people."""
    return contact_columns(seen, with_account=False)


def deals(seen: Seen) -> list[Column]:
    """Return the columns of an account's opportunities."""
    return opportunity_columns(seen, with_account=False)


def opportunities_with_account(seen: Seen) -> list[Column]:
    """Return the columns of a contact's opportunities."""
    return opportunity_columns(seen)


def events(seen: Seen) -> list[Column]:
    """Return the columns of activities."""
    return activity_columns(seen)


def technologies(seen: Seen) -> list[Column]:
    """Return the columns of an account's technologies."""
    return [
        Column("Technology", lambda t: text(t.product.name, t.product.vendor.name if t.product.vendor else "")),
        Column("Category", lambda t: text(t.product.category.name if t.product.category else "")),
        Column("Status", lambda t: token_badge(t, "status")),
        Column("First seen", lambda t: when(t.first_seen)),
        Column("Verified", lambda t: when(t.last_verified)),
        Column("Contract ends", lambda t: when(t.contract_ends)),
        Column("Confidence", lambda t: figure(t.confidence, "fraction"), numeric=True),
    ]


def needs(seen: Seen) -> list[Column]:
    """Return the columns of needs."""
    return [
        Column("Need", lambda n: text(n.need.name)),
        Column("Kind", lambda n: text(n.get_kind_display())),
        Column("Priority", lambda n: figure(n.priority), numeric=True),
        Column("Evidence", lambda n: text(n.get_evidence_display())),
        Column("Confirmed", lambda n: when(n.confirmed_on)),
        Column("Rejected", lambda n: when(n.rejected_on)),
        Column("Confidence", lambda n: figure(n.confidence, "fraction"), numeric=True),
    ]


def purchases(seen: Seen) -> list[Column]:
    """Return the columns of purchases."""
    return [
        Column("Product", product_words),
        Column("Order", lambda p: text(p.order_number)),
        Column("Ordered", lambda p: when(p.ordered_at)),
        Column("Quantity", lambda p: figure(p.quantity), numeric=True),
        Column("Discount", lambda p: figure(p.discount, "fraction"), numeric=True),
        Column("Amount", lambda p: amount(p.amount, p.amount_currency), numeric=True),
    ]


def contracts(seen: Seen) -> list[Column]:
    """Return the columns of contracts."""
    return [
        Column("Contract", lambda c: text(str(c), c.product.name if c.product else c.product_text)),
        Column("Status", lambda c: token_badge(c, "status")),
        Column("Starts", lambda c: when(c.starts_on)),
        Column("Ends", lambda c: when(c.ends_on)),
        Column("Monthly revenue", lambda c: amount(c.mrr, c.mrr_currency), numeric=True),
    ]


def support_cases(seen: Seen) -> list[Column]:
    """Return the columns of support cases."""
    return [
        Column("Case", lambda c: text(str(c))),
        Column("Severity", lambda c: token_badge(c, "severity")),
        Column("Opened", lambda c: when(c.opened_at)),
        Column("Closed", lambda c: when(c.closed_at)),
        Column("Hours", lambda c: figure(c.hours), numeric=True),
        Column("Satisfaction", lambda c: figure(c.satisfaction), numeric=True),
    ]


def lines(seen: Seen) -> list[Column]:
    """Return the columns of an opportunity's lines."""
    return [
        Column("Product", product_words),
        Column("Quantity", lambda row: figure(row.quantity), numeric=True),
        Column("Unit price", lambda row: amount(row.unit_price, row.unit_price_currency), numeric=True),
        Column("Discount", lambda row: figure(row.discount, "fraction"), numeric=True),
        Column("Amount", lambda row: amount(row.amount, row.amount_currency), numeric=True),
    ]


def committee(seen: Seen) -> list[Column]:
    """Return the columns of the people in an opportunity."""
    return [
        Column("Contact", seen.contact),
        Column("Role", lambda row: text(row.get_role_display())),
        Column("Stance", lambda row: text(row.get_stance_display())),
        Column("Influence, 1 to 5", lambda row: figure(row.influence), numeric=True),
    ]


def consents(seen: Seen) -> list[Column]:
    """Return the columns of a contact's consents."""
    return [
        Column("Topic", lambda c: text(c.topic.name if c.topic else "Every topic")),
        Column("Channel", lambda c: text(c.get_channel_display() or "Every channel")),
        Column("Status", lambda c: token_badge(c, "status")),
        Column("Legal basis", lambda c: text(c.get_legal_basis_display())),
        Column("Obtained by", lambda c: text(c.obtained_by)),
        Column("At", lambda c: when(c.at)),
    ]


def employers(seen: Seen) -> list[Column]:
    """Return the columns of a contact's ties to accounts."""
    return [
        Column("Account", seen.account),
        Column("Relation", lambda row: text(row.get_relation_display())),
        Column("Job title", lambda row: text(row.job_title)),
        Column("From", lambda row: when(row.started_on)),
        Column("To", lambda row: when(row.ended_on)),
    ]


def answers(seen: Seen) -> list[Column]:
    """Return the columns of survey answers."""
    return [
        Column("Survey", lambda row: text(row.survey)),
        Column("Question", lambda row: text(row.question)),
        Column("Answer", lambda row: text(row.answer)),
        Column("Answered", lambda row: when(row.answered_at)),
    ]


def timeline(rows: Sequence[Any], seen: Seen) -> list[dict[str, Any]]:
    """Return activities as lines of a timeline."""
    return [
        {
            "what": activity.get_type_display(),
            "icon": ACTIVITY_ICONS.get(activity.type, "activity"),
            "about": activity_about(activity),
            "contact": seen.contact(activity),
            "by": activity.user.display_name if activity.user else "",
            "at": activity.occurred_at,
        }
        for activity in rows
    ]


ACTIVITY_ICONS = {
    "meeting": "calendar",
    "call": "phone",
    "demo": "video",
    "support_contact": "lifebuoy",
    "page_view": "world",
    "content_view": "file-text",
    "content_download": "download",
    "form_submit": "forms",
    "email_sent": "mail",
    "email_delivered": "mail",
    "email_open": "mail",
    "email_click": "click",
    "email_reply": "message",
    "email_bounce": "ban",
    "unsubscribe": "ban",
    "ad_click": "speakerphone",
    "review": "stars",
    "survey_response": "checkbox",
    "product_login": "key",
    "webinar_attended": "video",
    "webinar_registered": "video",
    "event_attended": "calendar",
    "event_registered": "calendar",
    "intent_surge": "bolt",
}
