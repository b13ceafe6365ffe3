"""Writing accounts: what is computed from a row, hierarchies, customers."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import models, transaction

from segmentation_crm.common.effective_time import effective_now

from ..choices import AccountType
from ..models import Account, IndustryMapping, Opportunity, Term
from .bands import employee_band, revenue_band, size_class
from .changes import record_bulk
from .completeness import completeness
from .money import RateBook, fill_reporting
from .normalisation import normalise_domain, normalise_phone, tidy

COMPUTED = (
    "annual_revenue_reporting",
    "typical_order_size_reporting",
    "employee_band",
    "revenue_band",
    "size_class",
    "data_completeness_pct",
)


def fill_computed(account: Account, book: RateBook | None = None) -> None:
    """Normalise the row and set what is computed from it alone; saves nothing (no query with a book, else 2).

    Where a figure is known its band follows it; a band stored without the figure stays.
    """
    book = book or RateBook.load()
    account.name = tidy(account.name)
    # A text that is no domain stays as it is: forms and imports refuse it with words.
    account.domain = normalise_domain(account.domain) or tidy(account.domain).lower()
    account.phone = normalise_phone(account.phone, account.country)
    fill_reporting(account, book)
    if account.employee_count is not None:
        account.employee_band = employee_band(account.employee_count)
    if account.annual_revenue_reporting is not None:
        account.revenue_band = revenue_band(account.annual_revenue_reporting)
    account.size_class = size_class(account.employee_count, book.size_limits)
    account.data_completeness_pct = completeness(account)


def take_domain_from_website(account: Account) -> None:
    """Set an empty domain from the website, unless another live account has it; saves nothing (1 query)."""
    domain = normalise_domain(account.website) if account.website and not account.domain else ""
    if domain and not Account.objects.live().filter(domain=domain).exclude(pk=account.pk).exists():
        account.domain = domain


def refresh_computed(ids: Iterable[int] | None = None, chunk: int = 2000) -> int:
    """Compute bands, size classes, money and completeness anew, of some accounts or all; returns how many changed."""
    book, changed, last = RateBook.load(), 0, 0
    rows = Account.objects.order_by("pk")
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last)[:chunk])
            stale = []
            for account in batch:
                before = [getattr(account, name) for name in COMPUTED]
                fill_computed(account, book)
                if [getattr(account, name) for name in COMPUTED] != before:
                    stale.append(account)
            Account.objects.bulk_update(stale, COMPUTED, batch_size=300)
        changed += len(stale)
        if len(batch) < chunk:
            return changed
        last = batch[-1].pk


def propose_industry(account: Account) -> Term | None:
    """Return the industry whose code range holds the account's SIC or NAICS code, the narrowest; None if it has one."""
    if account.industry_id is not None:
        return None
    for code in (account.naics_code, account.sic_code):
        if code is None:
            continue
        ranges = IndustryMapping.objects.filter(system=code.system).select_related("term")
        fitting = [r for r in ranges if r.code_from <= code.code <= r.code_to or code.code.startswith(r.code_from)]
        if fitting:
            return min(fitting, key=lambda r: (r.code_to, -len(r.code_from))).term
    return None


def check_parent(account: Account) -> None:
    """Refuse a parent that lies below the account (1 query a level).

    Raises ValidationError naming the field.
    """
    account.clean()


def refresh_hierarchy(ids: Iterable[int] | None = None) -> int:
    """Set ultimate parent and group figures of the hierarchies the accounts belong to, or of all.

    Group figures are sums over the live accounts of the hierarchy, known figures only; an account without parent and
    children is a group of its own. Accounts in a circle keep no ultimate parent. Returns how many changed; a query
    a level plus one for 500 changed rows.
    """
    wanted_ids = None if ids is None else set(ids)
    # Beyond this many, one pass over all is cheaper than following each.
    nodes = _load_nodes(None if wanted_ids is None or len(wanted_ids) > 20_000 else wanted_ids)
    changed = []
    for members, root in _hierarchies(nodes):
        live = [node for node in members if node.is_live]
        employees = [n.employee_count for n in live if n.employee_count is not None]
        revenue = [n.annual_revenue_reporting for n in live if n.annual_revenue_reporting is not None]
        for node in members:
            top = root.pk if root is not None and root.pk != node.pk else None
            wanted = (
                top,
                sum(employees) if employees else None,
                sum(revenue) if revenue else None,
            )
            if (node.ultimate_parent_id, node.group_employee_count, node.group_revenue_reporting) != wanted:
                node.ultimate_parent_id, node.group_employee_count, node.group_revenue_reporting = wanted
                node.group_revenue = node.group_revenue_reporting
                changed.append(node)
    columns = ["ultimate_parent", "group_employee_count", "group_revenue", "group_revenue_reporting"]
    Account.objects.bulk_update(changed, columns, batch_size=500)
    return len(changed)


def _load_nodes(ids: set[int] | None) -> dict[int, Account]:
    rows = Account.objects.only(
        "parent_account", "ultimate_parent", "employee_count", "annual_revenue_reporting", "group_employee_count",
        "group_revenue", "group_revenue_reporting", "deleted_at", "merged_into",
    )  # fmt: skip
    if ids is None:
        return {row.pk: row for row in rows.iterator(chunk_size=5000)}
    found: dict[int, Account] = {}
    explored: set[int] = set()
    frontier = set(ids)
    while frontier:
        explored |= frontier
        new: dict[int, Account] = {}
        for part in _parts(frontier):
            level = rows.filter(models.Q(pk__in=part) | models.Q(parent_account_id__in=part))
            new.update({row.pk: row for row in level if row.pk not in found})
        found.update(new)
        parents = {row.parent_account_id for row in new.values() if row.parent_account_id is not None}
        frontier = (set(new) | parents) - explored
    return found


def _parts(ids: set[int], size: int = 400) -> list[list[int]]:
    ordered = sorted(ids)
    return [ordered[start : start + size] for start in range(0, len(ordered), size)]


def _hierarchies(nodes: dict[int, Account]) -> list[tuple[list[Account], Account | None]]:
    """Return each hierarchy's members with its root; a circle has none."""
    children: dict[int | None, list[Account]] = defaultdict(list)
    for node in nodes.values():
        parent = node.parent_account_id if node.parent_account_id in nodes else None
        children[parent].append(node)
    found: list[tuple[list[Account], Account | None]] = []
    placed: set[int] = set()
    for root in children[None]:
        found.append((_below(root, children, placed), root))
    for node in nodes.values():
        if node.pk not in placed:
            found.append((_below(node, children, placed), None))
    return found


def _below(top: Account, children: dict[int | None, list[Account]], placed: set[int]) -> list[Account]:
    members, waiting = [], [top]
    while waiting:
        node = waiting.pop()
        if node.pk in placed:
            continue
        placed.add(node.pk)
        members.append(node)
        waiting += children[node.pk]
    return members


def make_customers(account_ids: Iterable[int]) -> int:
    """Turn prospects with a won opportunity into customers; returns how many changed (3 queries)."""
    won = Opportunity.objects.live().filter(account__in=list(account_ids), stage__is_won=True)
    prospects = Account.objects.filter(pk__in=won.values("account"), account_type=AccountType.PROSPECT)
    ids = list(prospects.values_list("pk", flat=True))
    change = {"field": "account_type", "old": AccountType.PROSPECT.value, "new": AccountType.CUSTOMER.value}
    record_bulk("account", [(pk, [change]) for pk in ids])
    return Account.objects.filter(pk__in=ids).update(
        account_type=AccountType.CUSTOMER, version=models.F("version") + 1, updated_at=effective_now()
    )


def stamp_lifecycle(record: Any, before: str) -> None:
    """Note when a changed lifecycle stage was reached, where that is not known yet; saves nothing."""
    stage = record.lifecycle_stage
    if stage and stage != before and getattr(record, f"became_{stage}_at") is None:
        setattr(record, f"became_{stage}_at", effective_now())
