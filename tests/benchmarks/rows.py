"""Row 9 of the budgets: which pages are asked for, as whom, and the hand-written SQL beside each figure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.http import HttpResponse
from django.urls import reverse

from segmentation_crm.common import lists
from segmentation_crm.common.models import User

from .sizes import Sizes

ADMIN, MANAGER, REP = "bench.admin", "bench.manager", "bench.rep1"
LIVE = "deleted_at IS NULL AND merged_into_id IS NULL"
PEOPLE = f"{LIVE} AND erased_at IS NULL"
BUDGET_MS = 200.0


@dataclass(frozen=True)
class Check:
    """A figure that a page shows, and the SQL that must give the same one."""

    path: str
    read: Callable[[HttpResponse], Any]
    sql: str


@dataclass(frozen=True)
class Row:
    """One line of the table: pages of one kind, asked for by one user."""

    name: str
    user: str
    paths: Sequence[str]
    check: Check | None = None
    # Follow the list's "next" link instead of asking for the same page again.
    walk: bool = False


def rows(sizes: Sizes) -> list[Row]:
    """Return every row, in the order of the table."""
    found: list[Row] = []
    for user in (ADMIN, MANAGER, REP):
        found += [*_everyday(user), *_lists(user), *_details(user, sizes), *_searches(user)]
    return [*found, *_filters()]


def _everyday(user: str) -> list[Row]:
    pages = (
        ("home", "home", ""),
        ("my day", "accounts:my_day", ""),
        ("board", "accounts:board", ""),
        ("forecast by quarter", "accounts:forecast", ""),
        ("forecast by month", "accounts:forecast", "?by=month"),
        ("unmatched contacts", "accounts:unmatched", ""),
        ("imports", "accounts:import_list", ""),
        ("jobs", "jobs:list", ""),
    )
    if user == REP:
        pages = tuple(page for page in pages if page[0] not in ("imports", "unmatched contacts"))
    checks = {"forecast by quarter": _forecast_check()} if user == ADMIN else {}
    return [Row(name, user, [reverse(url) + query], checks.get(name)) for name, url, query in pages]


def _forecast_check() -> Check:
    """The year's won amount."""
    sql = (
        "SELECT coalesce(sum(o.amount_reporting), 0) FROM accounts_opportunity o "
        "JOIN accounts_stage s ON s.id = o.stage_id WHERE s.is_won "
        "AND o.deleted_at IS NULL AND o.merged_into_id IS NULL "
        "AND o.closed_at >= date_trunc('year', now()) AND o.closed_at < date_trunc('year', now()) + interval '1 year'"
    )

    return Check(reverse("accounts:forecast"), lambda response: response.context["won"].figure.amount, sql)


LISTS = ("account", "contact", "opportunity", "activity", "segment", "task")


def _lists(user: str) -> list[Row]:
    found = []
    for key in LISTS:
        path = reverse(lists.get(key).url_name) + ("?done=false" if key == "task" else "")
        found.append(Row(f"{key} list", user, [path], _whole_count(key, user)))
        if key not in ("segment", "task"):
            found.append(Row(f"{key} list, page after page", user, [path], walk=True))
    return found


def _whole_count(key: str, user: str) -> Check | None:
    tables = {
        "account": f"SELECT count(*) FROM accounts_account WHERE {LIVE}",
        "contact": f"SELECT count(*) FROM accounts_contact WHERE {PEOPLE}",
        "opportunity": f"SELECT count(*) FROM accounts_opportunity WHERE {LIVE}",
    }
    if user == ADMIN and key in tables:
        return counted(key, "", tables[key])
    if user == REP and key == "account":
        owner = f"(SELECT id FROM common_user WHERE username = '{REP}')"
        return counted(key, "", f"{tables[key]} AND (owner_id = {owner} OR sdr_id = {owner})")
    return None


def counted(key: str, query: str, sql: str) -> Check:
    """Return the check that a list's own count equals the SQL."""
    return Check(f"{reverse('lists:count', args=[key])}?{query}", _number, sql)


def _number(response: HttpResponse) -> int:
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    found = re.search(r"\d[\d,.\u202f\u00a0]*", text)
    if found is None:
        raise AssertionError(f"No count in: {text.strip()[:120]}")
    return int(re.sub(r"\D", "", found[0]))


# What a record's page fetches after it: each answers on its own, and is a row of its own.
PARTS = {
    "account": ("around", "timeline"),
    "contact": ("around", "timeline"),
    "opportunity": ("around", "lines", "people", "timeline"),
}


def _details(user: str, sizes: Sizes) -> list[Row]:
    """Small records from all over the table, heavy ones by their numbers of rows (found in the database)."""
    found = []
    for noun, table, by in (
        ("account", "accounts_account", "account_id"),
        ("contact", "accounts_contact", "contact_id"),
        ("opportunity", "accounts_opportunity", "account_id"),
    ):
        for weight in ("small", "heavy"):
            keys = _keys(noun, table, by, weight, user)
            for part in ("detail", *PARTS[noun]) if keys else ():
                paths = [reverse(f"accounts:{noun}_{part}", args=[pk]) for pk in keys]
                name = f"{noun} page" if part == "detail" else f"{noun} page: {part}"
                found.append(Row(f"{name}, {weight} record", user, paths))
    return found


def _keys(noun: str, table: str, by: str, weight: str, user: str) -> list[int]:
    """Return keys of records that the user sees: at random, or the ones with most rows under them."""
    seen = "TRUE" if user == ADMIN else "owner_id IN (SELECT id FROM common_user WHERE username IN ('bench.rep1'))"
    if weight == "small":
        sql = f"SELECT id FROM {table} WHERE {seen} AND deleted_at IS NULL ORDER BY hashint8(id) LIMIT 20"
    elif noun == "opportunity":
        sql = f"SELECT id FROM {table} WHERE {seen} ORDER BY account_id, id LIMIT 20"
    else:
        # Draws of the world favour low numbers: those are the heavy ones.
        sql = f"SELECT id FROM {table} WHERE {seen} AND id <= 4000 ORDER BY id LIMIT 20"
        if noun == "contact":
            sql = f"SELECT id FROM {table} WHERE {seen} AND id <= 20000 ORDER BY id LIMIT 20"
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return [pk for (pk,) in cursor.fetchall()]


def _searches(user: str) -> list[Row]:
    words = ("Adler", "Kessler Foods", "Brandt", "p123", "zzzzzz", "Ōkubo", "Deal 77", "Müller", "company-12", "a")
    return [
        Row("search", user, [f"{reverse('search')}?q={word}" for word in words]),
        Row("palette", user, [f"{reverse('palette')}?q={word}" for word in words]),
    ]


_REP_ID = "(SELECT id FROM common_user WHERE username = 'bench.rep1')"


def _word(column: str, vocabulary: str, slug: str) -> str:
    return f"t.{column} IN (SELECT id FROM accounts_term WHERE vocabulary = '{vocabulary}' AND slug = '{slug}')"


def _entry(column: str, table: str, slug: str) -> str:
    return f"t.{column} = (SELECT id FROM {table} WHERE slug = '{slug}')"


_USES = (
    "EXISTS (SELECT 1 FROM accounts_accounttechnology x JOIN accounts_technologyproduct p ON p.id = x.product_id "
    "WHERE x.account_id = t.id AND p.slug = 'technology-3' AND x.status <> 'former')"
)
_CHAMPION = (
    "EXISTS (SELECT 1 FROM accounts_contactvalue v WHERE v.contact_id = t.id AND v.field = 'buying_roles' "
    "AND v.token = 'champion')"
)
_TAKES_PART = "EXISTS (SELECT 1 FROM accounts_opportunitycontact r WHERE r.opportunity_id = t.id AND r.contact_id = 1)"
_KESSLER = "t.name_folded LIKE '%kessler%' OR t.legal_name_folded LIKE '%kessler%' OR t.domain_folded LIKE '%kessler%'"
# list, query, condition in SQL over the list's table `t`
FILTERS: tuple[tuple[str, str, str], ...] = (
    ("account", "country=DE", "t.country = 'DE'"),
    ("account", "city=Leeds", "t.city_folded = 'leeds'"),
    ("account", "domain=company-77.example", "t.domain_folded = 'company-77.example'"),
    ("account", "lifecycle_stage=customer", "t.lifecycle_stage = 'customer'"),
    ("account", "account_type=customer", "t.account_type = 'customer'"),
    ("account", "tier=1", "t.tier = '1'"),
    ("account", "employee_count_min=5000", "t.employee_count >= 5000"),
    ("account", "annual_revenue_min=80000000", "t.annual_revenue_reporting >= 80000000"),
    ("account", "industry=manufacturing", _word("industry_id", "industry", "manufacturing")),
    ("account", "owner=bench.rep1", f"t.owner_id = {_REP_ID}"),
    ("account", "unowned=true", "t.owner_id IS NULL"),
    ("account", "technology=technology-3", _USES),
    ("account", "search=kessler", _KESSLER),
    ("contact", "country=SE", "t.country = 'SE'"),
    ("contact", "lifecycle_stage=sql", "t.lifecycle_stage = 'sql'"),
    ("contact", "lead_status=working", "t.lead_status = 'working'"),
    ("contact", "seniority=c_level&department=it", "t.seniority = 'c_level' AND t.department = 'it'"),
    ("contact", "department=finance", "t.department = 'finance'"),
    ("contact", "buying_role=champion", _CHAMPION),
    ("contact", "account=1", "t.account_id = 1"),
    ("contact", "without_account=true", "t.account_id IS NULL"),
    ("contact", "email=p77@company-1.example", "t.email_folded = 'p77@company-1.example'"),
    ("contact", "email_domain=company-3.example", "t.email_domain = 'company-3.example'"),
    ("contact", "owner=bench.rep1", f"t.owner_id = {_REP_ID}"),
    ("opportunity", "state=open", "t.stage_id IN (SELECT id FROM accounts_stage WHERE is_open)"),
    ("opportunity", "state=won", "t.stage_id IN (SELECT id FROM accounts_stage WHERE is_won)"),
    ("opportunity", "amount_min=90000", "t.amount_reporting >= 90000"),
    ("opportunity", "account=1", "t.account_id = 1"),
    ("opportunity", "owner=bench.rep1", f"t.owner_id = {_REP_ID}"),
    ("opportunity", "type=renewal", "t.type = 'renewal'"),
    ("opportunity", "forecast_category=commit", "t.forecast_category = 'commit'"),
    ("opportunity", "lost_reason=price", _word("lost_reason_id", "lost_reason", "price")),
    ("opportunity", "product=product-3", _entry("product_id", "accounts_product", "product-3")),
    ("opportunity", "contact=1", _TAKES_PART),
    ("activity", "account=1", "t.account_id = 1"),
    ("activity", "contact=1", "t.contact_id = 1"),
    ("activity", "type=meeting&contact=1", "t.type = 'meeting' AND t.contact_id = 1"),
    ("activity", "type=meeting", "t.type = 'meeting'"),
    ("activity", "direction=inbound", "t.direction = 'inbound'"),
    ("activity", "campaign=campaign-3", _entry("campaign_id", "accounts_campaignref", "campaign-3")),
    ("task", "done=false", "t.done_at IS NULL"),
    ("task", "owner=bench.rep1", f"t.owner_id = {_REP_ID}"),
)
ORDERS = (
    ("account", "-updated_at"), ("account", "country"), ("account", "-employee_count"), ("account", "-annual_revenue"),
    ("account", "-created_at"), ("contact", "-created_at"), ("contact", "-updated_at"), ("contact", "email"),
    ("opportunity", "-amount"), ("opportunity", "expected_close"), ("opportunity", "name"), ("activity", "occurred_at"),
)  # fmt: skip


def _rep_id() -> int:
    return int(User.objects.values_list("pk", flat=True).get(username=REP))


_TABLES = {"account": LIVE, "contact": PEOPLE, "opportunity": LIVE, "activity": "", "task": ""}


def _filters() -> list[Row]:
    found = []
    for key, query, condition in FILTERS:
        live = " AND ".join(f"t.{part}" for part in _TABLES[key].split(" AND ") if part)
        # Counting stops after three seconds: what would take longer at any size is not counted.
        sql = f"SELECT count(*) FROM accounts_{key} t WHERE ({condition}){f' AND {live}' if live else ''}"
        too_large = key == "activity" and "account" not in query and "contact" not in query
        asked = query.replace("owner=bench.rep1", f"owner={_rep_id()}")
        check = None if too_large else counted(key, asked, sql)
        found.append(Row(f"{key}: {query}", ADMIN, [f"{reverse(lists.get(key).url_name)}?{asked}"], check))
    for key, order in ORDERS:
        path = f"{reverse(lists.get(key).url_name)}?ordering={order}"
        found.append(Row(f"{key}: ordering={order}", ADMIN, [path]))
    return found
