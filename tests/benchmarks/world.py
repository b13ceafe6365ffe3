"""Build the reference world inside PostgreSQL: skewed like life, so that some accounts and people are heavy."""

import time
from collections.abc import Callable

from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import (
    Account,
    AccountTechnology,
    Activity,
    CampaignRef,
    Contact,
    ContactAccount,
    ContactValue,
    ContentItem,
    Contract,
    Need,
    Note,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    Pipeline,
    Product,
    Purchase,
    Stage,
    SupportCase,
    Task,
    TechnologyProduct,
    Term,
    Vendor,
)
from accounts.services.vocabularies import get_or_add_term
from segmentation_crm.common.models import Role, Team, User
from segments.models import Segment, SegmentMembership
from segments.services.saving import create_segment

from .sizes import Sizes
from .sql import days_ago, insert, pick, skewed, uniform, whole, without_indexes

INDUSTRIES = ("Manufacturing", "Retail", "Software", "Logistics", "Health care", "Financial services", "Energy")
NEEDS = ("Reduce stock", "Shorten cycles", "Replace spreadsheets", "Connect plants", "Comply with audits")
COUNTRIES = ("DE", "DE", "FR", "US", "US", "GB", "NL", "ES", "IT", "SE", "JP", "CA", "BR", "AT", "CH")
HEADS = ("Adler", "Borealis", "Cinder", "Delmar", "Fjord", "Granit", "Halcyon", "Juniper", "Kessler", "Lumen", "Ōkubo")
TAILS = ("Werke", "Tooling", "Foods", "Systems", "Freight", "Medical", "Capital", "Energía", "Motion", "Stores")
FIRST = ("Anna", "Tomás", "Li", "Sofia", "Jonas", "Amira", "Mateo", "Ingrid", "Noah", "Zoë", "Elif", "Hugo", "Yuki")
LAST = ("Brandt", "Ortega", "Wei", "Greco", "Haddad", "Müller", "Rossi", "Novák", "Dahl", "Tanaka", "Castro", "Okafor")
CITIES = ("Berlin", "Lyon", "Boston", "Leeds", "Torino", "Osaka")
TITLES = ("CEO", "CFO", "CIO", "VP Operations", "IT Manager", "Procurement Manager", "Planner", "Data Analyst")
ROLES = ("decision_maker", "champion", "technical_decision_maker", "economic_buyer", "end_user", "influencer")
TYPES = (
    "page_view", "page_view", "page_view", "page_view", "email_sent", "email_sent", "email_open", "email_click",
    "product_login", "product_login", "feature_used", "content_download", "webinar_attended", "form_submit", "call",
    "meeting",
)  # fmt: skip
REPS = 20
PASSWORDLESS = "!bench"


def is_built(sizes: Sizes) -> bool:
    """Tell whether the connected database holds this world, whole: its last step is the segments."""
    return Contact.objects.count() == sizes.contacts and Segment.objects.filter(description="bench").count() == 20


def build(sizes: Sizes, say: Callable[[str], object]) -> float:
    """Migrate the database and fill it; return the seconds it took."""
    began = time.monotonic()
    call_command("migrate", interactive=False, verbosity=0)
    if Account.objects.exists():
        raise SystemExit("The bench database holds another or a half-built world: start again with --rebuild.")
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET idle_in_transaction_session_timeout = 0")
    steps: tuple[tuple[str, Callable[[Sizes], None]], ...] = (
        ("people and catalogue", _catalogue),
        ("accounts", _accounts),
        ("contacts", _contacts),
        ("opportunities", _opportunities),
        ("purchases, contracts, support cases", _dealings),
        ("activities", _activities),
        ("segments", _segments),
    )
    for name, step in steps:
        started = time.monotonic()
        with transaction.atomic():
            step(sizes)
        say(f"  {name}: {time.monotonic() - started:.1f} s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return time.monotonic() - began


def _catalogue(sizes: Sizes) -> None:
    team = Team.objects.create(name="Bench team")
    people = [("bench.admin", Role.ADMIN, None), ("bench.manager", Role.SALES_MANAGER, team)]
    people += [(f"bench.rep{n}", Role.SALES_REP, team if n <= 5 else None) for n in range(1, REPS + 1)]
    for username, role, of_team in people:
        User(username=username, role=role, team=of_team, password=PASSWORDLESS).save()
    for vocabulary, names in (
        ("industry", INDUSTRIES), ("need", NEEDS), ("lost_reason", ("Price", "No decision", "Competitor")),
        ("lead_source", ("Webinar", "Referral", "Outbound", "Organic search")),
    ):  # fmt: skip
        for name in names:
            get_or_add_term(vocabulary, name)
    vendor = Vendor.objects.create(name="Northstar", slug="northstar")
    for number in range(20):
        TechnologyProduct.objects.create(name=f"Technology {number}", slug=f"technology-{number}", vendor=vendor)
        Product.objects.create(name=f"Product {number}", slug=f"product-{number}", list_price=1000)
        CampaignRef.objects.create(name=f"Campaign {number}", slug=f"campaign-{number}", channel="email")
        ContentItem.objects.create(title=f"Guide {number}", format="whitepaper", url=f"/guides/{number}")


def _ids(query: "object") -> list[int | None]:
    return list(query.order_by("pk").values_list("pk", flat=True))  # type: ignore[attr-defined]


def owner_sql(sizes: Sizes, number: str = "g") -> str:
    """Return SQL for the owner of account number …: the first rep has up to 1,000, one account in ten nobody."""
    reps = _ids(User.objects.filter(username__startswith="bench.rep"))
    every = max(2, sizes.accounts // 1000)
    others = pick(reps[1:], 71, number)
    return (
        f"CASE WHEN ({number}) % {every} = 0 AND ({number}) <= {every * 1000} THEN {reps[0]} "
        f"WHEN ({number}) % 10 = 3 THEN NULL ELSE {others} END"
    )


def account_of(sizes: Sizes, number: str = "g") -> str:
    """Return SQL for the account of contact number …: the first accounts have thousands of people."""
    return skewed(sizes.accounts, 2.0, 11, number)


def _band(employees: str) -> str:
    limits = (
        (10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"), (1000, "501-1000"), (5000, "1001-5000"),
        (10000, "5001-10000"),
    )  # fmt: skip
    cases = " ".join(f"WHEN e <= {limit} THEN '{band}'" for limit, band in limits)
    return f"(SELECT CASE WHEN e IS NULL THEN '' {cases} ELSE '10001+' END FROM (SELECT {employees} AS e) AS x)"


def _accounts(sizes: Sizes) -> None:
    industries = _ids(Term.objects.filter(vocabulary="industry"))
    employees = f"(CASE WHEN {uniform(3)} < 0.1 THEN NULL ELSE (5 + power(10, 1 + {uniform(4)} * 3))::int END)"
    revenue = f"{whole(1, 900, 9)} * 100000"
    stage = pick(("target", "target", "aware", "engaged", "mqa", "opportunity", "customer", "former"), 5)
    with without_indexes([Account._meta.db_table]):
        insert(
            Account, sizes.accounts,
            {
                "name": f"{pick(HEADS, 1)} || ' ' || {pick(TAILS, 2)} || ' ' || g",
                "domain": "'company-' || g || '.example'",
                "country": pick(COUNTRIES, 6), "city": pick(CITIES, 7),
                "industry_id": pick([*industries, None], 8), "employee_count": employees,
                "employee_band": _band(employees),
                "annual_revenue": revenue, "annual_revenue_reporting": revenue,
                "lifecycle_stage": stage, "tier": pick(("1", "2", "3", "unqualified", ""), 10),
                "account_type": f"CASE WHEN {stage} IN ('customer', 'former') THEN 'customer' ELSE 'prospect' END",
                "owner_id": owner_sql(sizes), "created_at": days_ago(700, 12), "updated_at": days_ago(120, 13, power=2),
                "founded_year": whole(1900, 2022, 14),
            },
        )  # fmt: skip
    technologies = _ids(TechnologyProduct.objects)
    insert(
        AccountTechnology, sizes.accounts * 2,
        {
            "account_id": f"1 + (g - 1) % {sizes.accounts}",
            # Two different ones of each account.
            "product_id": f"{technologies[0]} + (({whole(0, 9, 15, f'(g - 1) % {sizes.accounts}')}) * 2 + "
            f"(g - 1) / {sizes.accounts}) % 20",
            "status": pick(("in_use", "in_use", "evaluating", "former"), 16), "created_at": days_ago(400, 17),
        },
    )  # fmt: skip
    needs = _ids(Term.objects.filter(vocabulary="need"))
    insert(
        Need, sizes.accounts,
        {"account_id": "g", "need_id": pick(needs, 18), "kind": "'problem'", "evidence": "'stated'",
         "priority": whole(1, 5, 19)},
    )  # fmt: skip


def _contacts(sizes: Sizes) -> None:
    account = account_of(sizes)
    first, last = pick(FIRST, 21), pick(LAST, 22)
    stage = pick(("", "subscriber", "lead", "lead", "mql", "sal", "sql", "opportunity", "customer"), 23)
    with without_indexes([Contact._meta.db_table, ContactAccount._meta.db_table, ContactValue._meta.db_table]):
        insert(
            Contact, sizes.contacts,
            {
                "first_name": first, "last_name": last, "full_name_folded": f"lower({first} || ' ' || {last})",
                "email": f"'p' || g || '@company-' || {account} || '.example'",
                "email_domain": f"'company-' || {account} || '.example'",
                "account_id": f"CASE WHEN g % 50 = 7 THEN NULL ELSE {account} END",
                "company_name_given": "CASE WHEN g % 50 = 7 THEN 'Unknown ' || g ELSE '' END",
                "owner_id": f"CASE WHEN g % 50 = 7 THEN NULL ELSE {owner_sql(sizes, account)} END",
                "country": pick(COUNTRIES, 24), "job_title": pick(TITLES, 25),
                "seniority": pick(("c_level", "vp", "director", "manager", "individual", ""), 26),
                "department": pick(("executive", "it", "finance", "operations", "marketing", "procurement", ""), 27),
                "lifecycle_stage": stage, "lead_status": pick(("", "new", "attempting", "connected", "working"), 28),
                "deliverability": pick(("valid", "valid", "unknown", "hard_bounce"), 29),
                "created_at": days_ago(700, 30), "updated_at": days_ago(120, 31, power=2),
            },
        )  # fmt: skip
        insert(
            ContactAccount,
            sizes.contacts,
            {"contact_id": "g", "account_id": account, "relation": "'employee'", "created_at": days_ago(700, 30)},
        )
        insert(
            ContactValue,
            sizes.contacts // 2,
            {"contact_id": "g * 2", "field": "'buying_roles'", "token": pick(ROLES, 32)},
        )


def _opportunities(sizes: Sizes) -> None:
    pipeline = Pipeline.objects.get(is_default=True)
    stages = list(Stage.objects.filter(pipeline=pipeline).order_by("position"))
    open_ = [stage.pk for stage in stages if stage.is_open]
    won = next(stage.pk for stage in stages if stage.is_won)
    lost = next(stage.pk for stage in stages if stage.is_lost)
    account = skewed(sizes.accounts, 1.4, 41)
    stage = pick([*open_, won, won, won, lost, lost, lost, lost, lost, lost], 42)
    opened = f"(current_date - {whole(0, 540, 43)}::int)"
    closed = f"least({opened} + 60, current_date - 1)::timestamptz"
    is_open = f"{stage} IN ({', '.join(map(str, open_))})"
    products = _ids(Product.objects)
    amount = f"{whole(2, 400, 44)} * 250"
    sources, reasons = (
        _ids(Term.objects.filter(vocabulary="lead_source")),
        _ids(Term.objects.filter(vocabulary="lost_reason")),
    )
    rep = _ids(User.objects.filter(username="bench.rep2"))[0]
    with without_indexes([Opportunity._meta.db_table]):
        insert(
            Opportunity, sizes.opportunities,
            {
                "name": f"'Deal ' || g || ' ' || {pick(HEADS, 45)}", "account_id": account,
                "owner_id": f"coalesce({owner_sql(sizes, account)}, {rep})",
                "pipeline_id": str(pipeline.pk), "stage_id": stage, "amount": amount, "amount_reporting": amount,
                "type": pick(("new_business", "new_business", "expansion", "renewal"), 46), "opened_on": opened,
                "expected_close": f"{opened} + {whole(30, 240, 47)}::int",
                "closed_at": f"CASE WHEN {is_open} THEN NULL ELSE {closed} END",
                "stage_entered_at": f"CASE WHEN {is_open} THEN {opened}::timestamptz ELSE {closed} END",
                "forecast_category": f"CASE WHEN {is_open} THEN {pick(('pipeline', 'best_case', 'commit'), 48)} "
                f"WHEN {stage} = {won} THEN 'closed' ELSE 'omitted' END",
                "next_step": f"CASE WHEN {is_open} THEN 'Send the offer' ELSE '' END",
                "next_step_due": f"CASE WHEN {is_open} THEN current_date + {whole(-10, 20, 49)}::int END",
                "lost_reason_id": f"CASE WHEN {stage} = {lost} THEN {pick(reasons, 50)} END",
                "lead_source_id": pick([*sources, None], 51), "product_id": pick(products, 52),
                "created_at": f"{opened}::timestamptz", "updated_at": days_ago(120, 53, power=2),
            },
        )  # fmt: skip
    with without_indexes([OpportunityContact._meta.db_table, OpportunityLine._meta.db_table]):
        insert(
            OpportunityContact, sizes.opportunities * 2,
            {"opportunity_id": f"1 + (g - 1) % {sizes.opportunities}", "contact_id": skewed(sizes.contacts, 1.3, 54),
             "role": f"(ARRAY['champion', 'decision_maker'])[1 + (g - 1) / {sizes.opportunities}]",
             "stance": pick(("supporter", "neutral", "sceptic"), 55), "influence": whole(1, 5, 56)},
        )  # fmt: skip
        insert(
            OpportunityLine, sizes.opportunities,
            {"opportunity_id": "g", "product_id": pick(products, 52), "quantity": "1", "unit_price": amount,
             "amount": amount, "amount_reporting": amount, "unit_price_reporting": amount},
        )  # fmt: skip


def _dealings(sizes: Sizes) -> None:
    account, products = skewed(sizes.accounts, 1.6, 61), _ids(Product.objects)
    with without_indexes([m._meta.db_table for m in (Purchase, Contract, SupportCase, Task)]):
        price = whole(1, 90, 62) + " * 100"
        insert(
            Purchase, sizes.purchases,
            {"account_id": account, "order_number": "'O-' || g", "product_id": pick(products, 63), "quantity": "1",
             "unit_price": price, "unit_price_reporting": price, "amount": price, "amount_reporting": price,
             "ordered_at": days_ago(900, 64)},
        )  # fmt: skip
        starts = f"(current_date - {whole(0, 900, 65)}::int)"
        insert(
            Contract, sizes.contracts,
            {"account_id": f"1 + (g - 1) % {sizes.accounts}", "number": "'C-' || g", "product_id": pick(products, 66),
             "starts_on": starts, "ends_on": f"{starts} + 364", "mrr": price, "mrr_reporting": price,
             "status": f"CASE WHEN {starts} + 364 >= current_date THEN 'active' ELSE 'expired' END"},
        )  # fmt: skip
        opened = days_ago(500, 67)
        insert(
            SupportCase, sizes.support_cases,
            {"account_id": account, "subject": "'Case ' || g", "opened_at": opened,
             "severity": pick(("low", "medium", "high"), 68),
             "closed_at": f"CASE WHEN {uniform(69)} < 0.9 THEN {opened} + interval '1 hour' END"},
        )  # fmt: skip
        rep = _ids(User.objects.filter(username="bench.rep1"))[0]
        reps = _ids(User.objects.filter(username__startswith="bench.rep"))
        insert(
            Task, sizes.tasks,
            {"title": "'Call back ' || g", "type": "'call'", "account_id": skewed(sizes.accounts, 1.4, 72),
             "owner_id": f"CASE WHEN g <= 60 THEN {rep} ELSE {pick(reps, 73)} END",
             "due_at": f"date_trunc('day', now()) + ({whole(-20, 20, 74)} || ' days')::interval + interval '10 hours'",
             "done_at": f"CASE WHEN g > 60 AND {uniform(75)} < 0.8 THEN now() - interval '1 day' END"},
        )  # fmt: skip
        insert(Note, sizes.tasks, {"text": "'They asked for a price for all sites. ' || g", "account_id": account})


def _activities(sizes: Sizes) -> None:
    contact = skewed(sizes.contacts, 1.5, 81)
    kind = pick(TYPES, 82)
    campaigns, contents = _ids(CampaignRef.objects), _ids(ContentItem.objects)
    # The contact is drawn once more for its account: the same number gives the same one.
    with without_indexes([Activity._meta.db_table]):
        insert(
            Activity, sizes.activities,
            {
                "type": kind, "contact_id": contact, "account_id": account_of(sizes, contact),
                "direction": f"CASE WHEN {kind} IN ('email_sent', 'call', 'meeting') "
                "THEN 'outbound' ELSE 'inbound' END",
                "occurred_at": days_ago(540, 83, power=1.5), "created_at": days_ago(540, 83, power=1.5),
                "campaign_id": f"CASE WHEN {kind} LIKE 'email%' THEN {pick(campaigns, 84)} END",
                "content_id": f"CASE WHEN {kind} = 'content_download' THEN {pick(contents, 85)} END",
                "url_path": f"CASE WHEN {kind} = 'page_view' THEN '/product' ELSE '' END",
                "bot_suspected": f"{kind} = 'email_open' AND {uniform(86)} < 0.05",
            },
        )  # fmt: skip


def _segments(sizes: Sizes) -> None:
    """Save twenty segments with stored members; the jobs that would compute them are not run here."""
    admin = User.objects.get(username="bench.admin")
    for number in range(20):
        rule = {"field": "account.tier", "operator": "eq", "value": str(1 + number % 3)}
        segment, job = create_segment(
            admin, name=f"Segment {number}", member_type="account", description="bench",
            rules={"combinator": "and", "rules": [rule]},
        )  # fmt: skip
        job.delete()
        start = 1 + number * (sizes.accounts // 20)
        SegmentMembership.objects.bulk_create(
            SegmentMembership(segment=segment, account_id=pk, entered_at=segment.created_at)
            for pk in range(start, start + sizes.accounts // 20)
        )
        Segment.objects.filter(pk=segment.pk).update(
            member_count=sizes.accounts // 20, last_built_at=segment.created_at, built_version=1
        )
