"""What happens around every save of a record, whoever saves it: form, API, admin, demo, service.

Before: the row is normalised and what is computed from it is set. After: what follows for other rows. Bulk writes
(imports, bulk_create, update) do not pass here: they call `after_bulk_write`.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_save, pre_save

from ..models import (
    Account,
    Activity,
    Contact,
    Contract,
    Opportunity,
    OpportunityContact,
    OpportunityLine,
    Product,
    Purchase,
    SupportCase,
)
from . import accounts, champions, changes, contacts, matching, opportunities
from .activities import resolve_account_id, usual_direction
from .money import RateBook, fill_reporting, refresh_reporting

# What is remembered of a row before it is saved, to know what changed.
_HIERARCHY = ("parent_account_id", "employee_count", "annual_revenue_reporting", "deleted_at", "merged_into_id")
_WATCHED: dict[type[Model], tuple[str, ...]] = {
    Account: ("lifecycle_stage", "name", "domain", *_HIERARCHY),
    Contact: ("lifecycle_stage", "account_id", "email", "company_name_given"),
    Opportunity: ("stage_id", "account_id"),
}


def before_save(sender: type[Model], instance: Any, raw: bool = False, **kwargs: Any) -> None:
    """Normalise and compute; remembers what the row was (≤ 4 queries)."""
    if raw:
        return
    watched = _WATCHED.get(sender)
    before: dict[str, Any] | None = None
    if watched and not instance._state.adding:
        columns = {*watched, "deleted_at", *changes.snapshot_columns(sender)}
        before = sender._default_manager.filter(pk=instance.pk).values(*columns).first()
    if watched:
        # For after_save and the log of changes: what the row was.
        instance.__dict__["_before"] = before
    if kwargs.get("update_fields") is not None:
        return
    match instance:
        case Account():
            if instance._state.adding:
                accounts.take_domain_from_website(instance)
            if before is not None:
                accounts.stamp_lifecycle(instance, before["lifecycle_stage"])
            instance.clean()
            accounts.fill_computed(instance)
        case Contact():
            if before is not None:
                accounts.stamp_lifecycle(instance, before["lifecycle_stage"])
            contacts.fill_computed(instance)
            if _asks_for_account(instance, before):
                matching.match_one(instance)
        case Opportunity():
            opportunities.fill_computed(instance)
            opportunities.stamp_stage(instance, before)
        case OpportunityLine() | Purchase():
            opportunities.fill_amount(instance)
            fill_reporting(instance, RateBook.load())
        case Contract() | SupportCase() | Product():
            fill_reporting(instance, RateBook.load())
        case Activity():
            instance.direction = instance.direction or usual_direction(instance.type)
            if instance._state.adding and instance.account_id is None:
                instance.account_id = resolve_account_id(instance)


def after_save(sender: type[Model], instance: Any, created: bool = False, raw: bool = False, **kwargs: Any) -> None:
    """Let other rows follow: hierarchy, waiting contacts, accounts of people, customers (0 queries if nothing did)."""
    if raw:
        return
    before = instance.__dict__.get("_before") or {}
    if sender in _WATCHED:
        changes.record_saved(instance, before or None, created, kwargs.get("update_fields"))
    match instance:
        case Account():
            _follow_account(instance, before)
        case Contact() if instance.account_id != before.get("account_id") and _writes("account", kwargs):
            if before.get("account_id") is not None:
                contacts.follow_job_change(instance, before)
            else:
                contacts.begin_job(instance)
        case Opportunity() if (instance.stage_id, instance.account_id) != (
            before.get("stage_id"),
            before.get("account_id"),
        ):
            opportunities.follow_up([instance.pk])
            opportunities.note_reopening(instance, before)
        case OpportunityContact():
            contacts.follow_opportunities([instance.opportunity_id])
            champions.welcome_champions([instance.opportunity_id])


def _writes(name: str, kwargs: dict[str, Any]) -> bool:
    """Tell whether a save writes the column: all do, but those that name others."""
    columns = kwargs.get("update_fields")
    return columns is None or not {name, f"{name}_id"}.isdisjoint(columns)


def _asks_for_account(contact: Contact, before: dict[str, Any] | None) -> bool:
    """Tell whether matching has news: a new person, another address or company; not one who was taken off."""
    if contact.account_id is not None or not contact.is_live:
        return False
    return before is None or (contact.email, contact.company_name_given) != (
        before["email"],
        before["company_name_given"],
    )


def _follow_account(account: Account, before: dict[str, Any]) -> None:
    if account.is_live and (account.name, account.domain) != (before.get("name"), before.get("domain")):
        matching.match_contacts_of(account)
    if before and all(getattr(account, name) == before[name] for name in _HIERARCHY):
        return
    ids = {account.pk}
    if before.get("parent_account_id"):
        ids.add(before["parent_account_id"])
    accounts.refresh_hierarchy(ids)
    fresh = Account.objects.values(
        "ultimate_parent_id", "group_employee_count", "group_revenue", "group_revenue_reporting"
    ).get(pk=account.pk)
    for name, value in fresh.items():
        setattr(account, name, value)


def after_bulk_write(record: str, ids: Iterable[int] | None = None) -> None:
    """Bring everything in line after rows were written in bulk: of these ids, or of all.

    record: "account", "contact", "opportunity", "line_item", "purchase", "contract", "support_case", "product" or
    "contact_role" (ids of the opportunities). Sets money in the organisation's currency, bands, completeness,
    hierarchies, contacts' accounts, customers, lifecycle stages. Flat memory but for hierarchies of all accounts.
    """
    wanted = None if ids is None else list(ids)
    match record:
        case "account":
            accounts.refresh_computed(wanted)
            accounts.refresh_hierarchy(wanted)
        case "contact":
            matching.match_accounts(wanted)
            contacts.refresh_computed(wanted)
            contacts.link_primary_accounts(wanted)
        case "opportunity":
            refresh_reporting(Opportunity, wanted)
            for part in _chunks(Opportunity, wanted):
                opportunities.follow_up(part)
        case "contact_role":
            for part in _chunks(Opportunity, wanted):
                contacts.follow_opportunities(part)
                champions.welcome_champions(part)
        case _:
            refresh_reporting(_MONEY_MODELS[record], wanted)


_MONEY_MODELS: dict[str, type[Model]] = {
    "line_item": OpportunityLine,
    "purchase": Purchase,
    "contract": Contract,
    "support_case": SupportCase,
    "product": Product,
}


def _chunks(model: type[Model], ids: list[int] | None, size: int = 1000) -> Iterable[list[int]]:
    if ids is None:
        ids = list(model._default_manager.order_by("pk").values_list("pk", flat=True))
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def connect_signals() -> None:
    """Follow every save from now on; called once, by the app's ready()."""
    before = {Account, Contact, Opportunity, OpportunityLine, Purchase, Contract, SupportCase, Product, Activity}
    for model in before:
        pre_save.connect(before_save, sender=model, dispatch_uid=f"accounts.saving.before.{model.__name__}")
    for model in (Account, Contact, Opportunity, OpportunityContact):
        post_save.connect(after_save, sender=model, dispatch_uid=f"accounts.saving.after.{model.__name__}")
