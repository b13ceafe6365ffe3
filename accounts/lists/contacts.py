"""The list of contacts."""

from collections.abc import Sequence
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.lists import YES_NO, Cell, Column, Facet, ListDefinition, figure, mail, of_enum, text, when

from ..choices import (
    BuyingRole,
    Channel,
    ContactLifecycle,
    Deliverability,
    Department,
    LeadStatus,
    Seniority,
    Vocabulary,
)
from ..filters import ContactFilter
from ..models import ContactCustomValue, ContactValue, Persona
from ..queries import activities_visible_to, contacts_visible_to, opportunity_contacts_visible_to
from .batches import counted, custom_columns, figure_column, latest, moment_column, multi, multi_column
from .cells import contact_cell, country, flag, lifecycle, person, term_name
from .facets import country_facet, person_facet, row_facet, term_facet
from .seen import HIDDEN, Seen

FACETS = [
    Facet("lifecycle_stage", "Lifecycle", of_enum(ContactLifecycle), main=True),
    Facet("seniority", "Seniority", of_enum(Seniority), main=True),
    Facet("department", "Department", of_enum(Department), main=True),
    person_facet("owner", "Owner", main=True),
    Facet("buying_role", "Buying role", of_enum(BuyingRole)),
    Facet("lead_status", "Lead status", of_enum(LeadStatus)),
    country_facet(),
    row_facet("persona", "Persona", "personas", lambda: Persona.objects.order_by("name")),
    Facet("job_title", "Job title contains"),
    Facet("email_domain", "E-mail domain"),
    term_facet("tag", "Tag", Vocabulary.TAG),
    Facet("deliverability", "Deliverability", of_enum(Deliverability)),
    Facet("preferred_channel", "Preferred channel", of_enum(Channel)),
    Facet("do_not_contact", "Do not contact", lambda: YES_NO),
    Facet("without_account", "Without account", lambda: YES_NO),
    Facet("unowned", "Without owner", lambda: YES_NO),
]


def columns(user: AnyUser, rows: Sequence[Any]) -> list[Column]:
    """Return the columns of contacts (1 query for the custom fields; the rest is read when shown)."""
    seen = Seen(user, rows)
    return [
        *_usual(seen),
        *_person(rows),
        *_state(user, rows, seen),
        *custom_columns("contact", rows, ContactCustomValue),
    ]


def _usual(seen: Seen) -> list[Column]:
    group = "Contact"
    return [
        Column("name", "Contact", contact_cell, "name", export=lambda c: c.full_name or f"Contact {c.pk}", group=group),
        Column("account", "Account", seen.account, group=group),
        Column("email", "E-mail", lambda c: mail(c.email), "email", personal=True, group=group),
        Column("department", "Department", lambda c: text(c.get_department_display()), default=False, group=group),
        Column("seniority", "Seniority", lambda c: text(c.get_seniority_display()), group=group),
        Column("lifecycle_stage", "Lifecycle", lifecycle, "lifecycle_stage", group=group),
        Column("owner", "Owner", lambda c: person(c.owner), group=group),
        Column("updated_at", "Changed", lambda c: when(c.updated_at), "updated_at", numeric=True, group=group),
    ]


def _person(rows: Sequence[Any]) -> list[Column]:
    group = "Person"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    roles = multi(rows, ContactValue, "contact_id", "buying_roles", dict(BuyingRole.choices))
    tags = multi(rows, ContactValue, "contact_id", "tags")
    return [
        more("first_name", "First name", lambda c: text(c.first_name)),
        more("last_name", "Last name", lambda c: text(c.last_name)),
        more("job_title", "Job title", lambda c: text(c.job_title)),
        more("phone", "Phone", lambda c: {"kind": "phone", "value": c.phone}, personal=True),
        more("mobile", "Mobile", lambda c: {"kind": "phone", "value": c.mobile}, personal=True),
        more("linkedin_url", "LinkedIn", _web("linkedin_url")),
        more("country", "Country", lambda c: text(country(c.country))),
        more("language", "Language", lambda c: text(c.language)),
        more("persona", "Persona", lambda c: term_name(c.persona)),
        multi_column("buying_roles", "Buying roles", roles, group),
        multi_column("tags", "Tags", tags, group),
        more("preferred_channel", "Preferred channel", lambda c: text(c.get_preferred_channel_display())),
    ]


def _state(user: AnyUser, rows: Sequence[Any], seen: Seen) -> list[Column]:
    group = "Where it stands"

    def more(key: str, label: str, cell: Any, **more: Any) -> Column:
        return Column(key, label, cell, default=False, group=group, **more)

    def of_account(value: Any) -> Any:
        """Return a cell about the contact's account, shown only where the account may be seen."""

        def cell(contact: Any) -> Cell:
            if not contact.account_id:
                return text("")
            return value(contact.account) if seen.shows_account(contact) else text(HIDDEN)

        return cell

    last = latest(rows, lambda: activities_visible_to(user), "contact_id", "occurred_at")
    deals = counted(
        rows, lambda: opportunity_contacts_visible_to(user).filter(opportunity__stage__is_open=True), "contact_id"
    )
    return [
        more("lead_status", "Lead status", lambda c: text(c.get_lead_status_display())),
        more("reject_reason", "Reject reason", lambda c: term_name(c.reject_reason)),
        more("deliverability", "Deliverability", lambda c: text(c.get_deliverability_display())),
        more("do_not_contact", "Do not contact", lambda c: flag(c.do_not_contact)),
        moment_column("last_activity", "Last activity", last, group),
        figure_column("open_roles", "Roles in open deals", deals, group, 0),
        more("account_industry", "Industry of the account", of_account(lambda a: term_name(a.industry))),
        more("account_lifecycle", "Lifecycle of the account", of_account(lifecycle)),
        more("account_owner", "Owner of the account", of_account(lambda a: person(a.owner))),
        more("company_name_given", "Company as given", lambda c: text(c.company_name_given)),
        more("data_completeness_pct", "Data known", lambda c: figure(c.data_completeness_pct, "percent"), numeric=True),
        more("source", "Source", lambda c: text(c.source)),
        more("created_at", "Added", lambda c: when(c.created_at), sort="created_at", numeric=True),
    ]


def _web(name: str) -> Any:
    def cell(row: Any) -> Cell:
        value = getattr(row, name)
        return {"kind": "web" if value.startswith(("https://", "http://")) else "text", "value": value}

    return cell


LIST = ListDefinition(
    key="contact",
    label="Contacts",
    unit="contact",
    unit_plural="contacts",
    url_name="accounts:contact_list",
    base=lambda user: contacts_visible_to(user).select_related(
        "owner", "account", "account__industry", "account__owner", "persona", "reject_reason"
    ),
    filterset=ContactFilter,
    columns=columns,
    facets=FACETS,
    joins={
        "account": ["account"],
        "owner": ["owner"],
        "persona": ["persona"],
        "reject_reason": ["reject_reason"],
        "account_industry": ["account__industry"],
        "account_lifecycle": ["account"],
        "account_owner": ["account__owner"],
    },
    ordering="name",
    rule_record="contact",
    search_label="Name, e-mail or company",
)
