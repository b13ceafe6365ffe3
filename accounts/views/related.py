"""Tabs of a record's page: the kinds of related records that exist, and one page of the chosen kind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Exists, Q, QuerySet
from django.http import Http404, HttpRequest

from .columns import activity_columns, contact_columns, opportunity_columns
from .lists import simple_table
from .records import url_if_there
from .seen import Seen
from .tables import Cell, Column, Table, amount, badge, figure, table, text, when

Rows = Callable[[Any, Any], QuerySet]  # (user, record) -> the related rows the user may see
TONES = {"active": "ok", "in_use": "ok", "cancelled": "bad", "expired": "bad", "critical": "bad", "high": "warn"}


def no_columns(seen: Seen) -> Sequence[Column]:
    """Return no columns: for tabs that draw themselves."""
    return ()


@dataclass(frozen=True)
class Tab:
    """One kind of related records: its rows in order, and their columns.

    A tab with a `template` draws itself, from what `context` gives; `rows` then only tell whether there is anything,
    and with `always` the tab stands even where there is nothing yet. `also` gives more rows for which the tab stands.
    `narrow` reads filters of the address.
    """

    key: str
    label: str
    unit: str
    unit_plural: str
    rows: Rows
    columns: Callable[[Seen], Sequence[Column]] = no_columns
    with_contacts: bool = False
    template: str = ""
    context: Callable[[HttpRequest, Any], dict[str, Any]] | None = None
    always: bool = False
    narrow: Callable[[HttpRequest, Any, QuerySet], QuerySet] | None = None
    also: Rows | None = None


def related_context(request: HttpRequest, record: Any, tabs: Sequence[Tab], base_url: str) -> dict[str, Any]:
    """Return the tabs that have rows and the content of the chosen one (1 query for the tabs, 2 for a table).

    Raises Http404 for a tab that does not exist.
    """
    chosen = request.GET.get("tab", "")
    if chosen and chosen not in {tab.key for tab in tabs}:
        raise Http404("no such tab")
    rows = {tab.key: tab.rows(request.user, record) for tab in tabs}
    asked = {tab.key: [rows[tab.key]] for tab in tabs if not tab.always}
    for tab in tabs:
        if tab.also is not None and tab.key in asked:
            asked[tab.key].append(tab.also(request.user, record))
    filled = _which_have_rows(record, asked)
    found = [{"label": "Overview", "url": base_url, "active": not chosen, "count": None}]
    context: dict[str, Any] = {"chosen_tab": chosen}
    for tab in tabs:
        if tab.key == chosen:
            context["tab"] = tab
            if tab.context is not None:
                context.update(tab.context(request, record))
            else:
                chosen_rows = rows[tab.key]
                if tab.narrow is not None:
                    chosen_rows = tab.narrow(request, record, chosen_rows)
                context["tab_table"] = page_table(request, chosen_rows, tab)
        if tab.key == chosen or tab.always or tab.key in filled:
            url = f"{base_url}?tab={tab.key}"
            found.append({"label": tab.label, "url": url, "active": tab.key == chosen, "count": None})
    changes_url = url_if_there(f"accounts:{record._meta.model_name}_changes", record.pk)
    if changes_url:
        found.append({"label": "Changes", "url": changes_url, "active": False, "count": None})
    context["tabs"] = found if len(found) > 1 else []
    return context


def _which_have_rows(record: Any, rows: dict[str, list[QuerySet]]) -> set[str]:
    """Return the keys that have rows: one query of an EXISTS each, however many keys."""
    if not rows:
        return set()
    asked = {f"has_{key}": reduce(or_, (Q(Exists(part.order_by())) for part in parts)) for key, parts in rows.items()}
    answer = type(record)._base_manager.filter(pk=record.pk).values(**asked).first() or {}
    return {name.removeprefix("has_") for name, has in answer.items() if has}


def page_table(request: HttpRequest, rows: QuerySet, tab: Tab) -> Table:
    """Return one page of a tab's rows as a table (1 query, 2 more to know what may be named)."""
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
