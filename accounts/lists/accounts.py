"""The list of accounts."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import YES_NO, Column, Facet, ListDefinition, amount, figure, of_enum, text, when

from ..choices import AccountLifecycle, AccountType, GrowthStage, Ownership, SizeClass, Tier, Urgency, Vocabulary
from ..filters import AccountFilter
from ..models import AccountCustomValue, AccountValue, TechnologyProduct
from ..queries import accounts_visible_to, activities_visible_to, contacts_visible_to, opportunities_visible_to
from .batches import counted, custom_columns, figure_column, latest, moment_column, multi, multi_column, summed
from .cells import account_cell, country, flag, lifecycle, person, term_name
from .facets import country_facet, person_facet, row_facet, term_facet
from .seen import Seen

FACETS = [
    Facet("account_type", "Type", of_enum(AccountType), main=True),
    Facet("lifecycle_stage", "Lifecycle", of_enum(AccountLifecycle), main=True),
    Facet("tier", "Tier", of_enum(Tier), main=True),
    person_facet("owner", "Owner", main=True),
    country_facet(),
    term_facet("industry", "Industry", Vocabulary.INDUSTRY),
    term_facet("sales_region", "Sales region", Vocabulary.SALES_REGION),
    Facet("size_class", "Size", of_enum(SizeClass)),
    Facet("ownership", "Ownership", of_enum(Ownership)),
    Facet("growth_stage", "Growth stage", of_enum(GrowthStage)),
    Facet("urgency", "Urgency", of_enum(Urgency)),
    Facet("employee_count_min", "Employees from", type="number"),
    Facet("employee_count_max", "Employees to", type="number"),
    Facet("annual_revenue_min", "Revenue from", type="number"),
    Facet("annual_revenue_max", "Revenue to", type="number"),
    row_facet("technology", "Uses", "technologies", lambda: TechnologyProduct.objects.order_by("name")),
    term_facet("tag", "Tag", Vocabulary.TAG),
    person_facet("sdr", "SDR"),
    Facet("do_not_contact", "Do not contact", lambda: YES_NO),
    Facet("unowned", "Without owner", lambda: YES_NO),
]


def columns(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of accounts (1 query for the custom fields; the rest is read when shown)."""
    return [*_usual(), *_company(user, rows), *_state(user, rows), *custom_columns("account", rows, AccountCustomValue)]


def _usual() -> list[Column]:
    group = "Account"
    return [
        Column("name", "Account", account_cell, "name", export=lambda a: a.name, group=group),
        Column("account_type", "Type", lambda a: text(a.get_account_type_display()), default=False, group=group),
        Column("lifecycle_stage", "Lifecycle", lifecycle, "lifecycle_stage", group=group),
        Column("industry", "Industry", lambda a: term_name(a.industry), group=group),
        Column("country", "Country", lambda a: text(country(a.country)), "country", group=group),
        Column(
            "employee_count",
            "Employees",
            lambda a: figure(a.employee_count),
            "employee_count",
            numeric=True,
            group=group,
        ),
        Column(
            "annual_revenue",
            "Revenue",
            lambda a: amount(a.annual_revenue, a.annual_revenue_currency),
            "annual_revenue",
            numeric=True,
            group=group,
        ),
        Column("owner", "Owner", lambda a: person(a.owner), group=group),
        Column("updated_at", "Changed", lambda a: when(a.updated_at), "updated_at", numeric=True, group=group),
    ]


def _company(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    seen, group = Seen(user, rows), "Company"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    return [
        more("domain", "Domain", lambda a: text(a.domain)),
        more("phone", "Phone", lambda a: {"kind": "phone", "value": a.phone}, personal=True),
        more("street", "Street", lambda a: text(a.street)),
        more("postal_code", "Postal code", lambda a: text(a.postal_code)),
        more("city", "City", lambda a: text(a.city)),
        more("sales_region", "Sales region", lambda a: term_name(a.sales_region)),
        more("size_class", "Size", lambda a: text(a.get_size_class_display())),
        more("company_type", "Company type", lambda a: text(a.get_company_type_display())),
        more("ownership", "Ownership", lambda a: text(a.get_ownership_display())),
        more("growth_stage", "Growth stage", lambda a: text(a.get_growth_stage_display())),
        more("founded_year", "Founded", lambda a: text(a.founded_year), numeric=True),
        more("employee_growth_12m", "Growth of staff, 12 months", _percent("employee_growth_12m"), numeric=True),
        more("revenue_growth_12m", "Growth of revenue, 12 months", _percent("revenue_growth_12m"), numeric=True),
        more("parent_account", "Parent", seen.parent),
        more("sic_code", "SIC", lambda a: text(a.sic_code or "")),
        more("naics_code", "NAICS", lambda a: text(a.naics_code or "")),
    ]


def _state(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    group = "Where it stands"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    def open_deals() -> QuerySet[Any]:
        return opportunities_visible_to(user).filter(stage__is_open=True)

    tags = multi(rows, AccountValue, "account_id", "tags")
    people = counted(rows, lambda: contacts_visible_to(user), "account_id")
    deals = counted(rows, open_deals, "account_id")
    worth = summed(rows, open_deals, "account_id", "amount_reporting")
    last = latest(rows, lambda: activities_visible_to(user), "account_id", "occurred_at")
    return [
        more("tier", "Tier", lambda a: text(a.get_tier_display()), sort="tier"),
        more("sdr", "SDR", lambda a: person(a.sdr)),
        multi_column("tags", "Tags", tags, group),
        more("urgency", "Urgency", lambda a: text(a.get_urgency_display())),
        more("customer_since", "Customer since", lambda a: when(a.customer_since), numeric=True),
        more("churned_on", "Churned", lambda a: when(a.churned_on), numeric=True),
        figure_column("contact_count", "Contacts", people, group, 0),
        figure_column("open_deals", "Open deals", deals, group, 0),
        Column(
            "open_amount", "Open amount", lambda a: amount(worth.get(a), ""), numeric=True, default=False, group=group,
            export=worth.get,
        ),
        moment_column("last_activity", "Last activity", last, group),
        more("do_not_contact", "Do not contact", lambda a: flag(a.do_not_contact)),
        more("data_completeness_pct", "Data known", _percent("data_completeness_pct"), numeric=True),
        more("source", "Source", lambda a: text(a.source)),
        more("created_at", "Added", lambda a: when(a.created_at), sort="created_at", numeric=True),
    ]  # fmt: skip


def _percent(name: str) -> Any:
    return lambda row: figure(getattr(row, name), "percent")


LIST = ListDefinition(
    key="account",
    label="Accounts",
    unit="account",
    unit_plural="accounts",
    url_name="accounts:account_list",
    base=lambda user: accounts_visible_to(user).select_related(
        "owner", "sdr", "industry", "sales_region", "parent_account", "sic_code", "naics_code"
    ),
    filterset=AccountFilter,
    columns=columns,
    facets=FACETS,
    joins={
        "industry": ["industry"],
        "owner": ["owner"],
        "sdr": ["sdr"],
        "sales_region": ["sales_region"],
        "parent_account": ["parent_account"],
        "sic_code": ["sic_code"],
        "naics_code": ["naics_code"],
    },
    ordering="name",
    rule_record="account",
    search_label="Name, legal name or domain",
)
