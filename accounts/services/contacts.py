"""Writing contacts: what is computed from a row, their accounts, jobs and lifecycle."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_now

from ..choices import ContactLifecycle, ContactRelation, Deliverability
from ..models import Account, Contact, ContactAccount, Opportunity, OpportunityContact
from .champions import flag_departures
from .changes import record_bulk
from .completeness import completeness
from .multi_values import set_multi_values
from .normalisation import email_domain, normalise_email, normalise_phone, tidy

COMPUTED = ("email_domain", "data_completeness_pct")
# A later stage of this list is never replaced by an earlier one that follows from an opportunity.
_ORDER = list(ContactLifecycle.values)


def fill_computed(contact: Contact) -> None:
    """Normalise the row and set what is computed from it alone; saves nothing, no query."""
    contact.first_name, contact.last_name = tidy(contact.first_name), tidy(contact.last_name)
    # A text that is no address stays as it is: forms and imports refuse it with words.
    contact.email = normalise_email(contact.email) or tidy(contact.email).lower()
    contact.email_domain = email_domain(contact.email)
    contact.phone = normalise_phone(contact.phone, contact.country)
    contact.mobile = normalise_phone(contact.mobile, contact.country)
    contact.data_completeness_pct = completeness(contact)


def refresh_computed(ids: Iterable[int] | None = None, chunk: int = 2000) -> int:
    """Compute e-mail domains and completeness anew, of some contacts or all; returns how many changed."""
    changed, last = 0, 0
    rows = Contact.objects.order_by("pk")
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last)[:chunk])
            stale = []
            for contact in batch:
                before = [getattr(contact, name) for name in COMPUTED]
                contact.email_domain = email_domain(contact.email)
                contact.data_completeness_pct = completeness(contact)
                if [getattr(contact, name) for name in COMPUTED] != before:
                    stale.append(contact)
            Contact.objects.bulk_update(stale, COMPUTED, batch_size=300)
        changed += len(stale)
        if len(batch) < chunk:
            return changed
        last = batch[-1].pk


def link_primary_accounts(ids: Iterable[int] | None = None) -> int:
    """List each contact's primary account among its accounts, where it is missing; returns how many were added."""
    current = ContactAccount.objects.filter(contact=OuterRef("pk"), account=OuterRef("account"))
    missing = Contact.objects.filter(~Exists(current), account__isnull=False).order_by("pk")
    if ids is not None:
        missing = missing.filter(pk__in=list(ids))
    added = 0
    links: list[ContactAccount] = []
    for pk, account, title, source in missing.values_list("pk", "account_id", "job_title", "source").iterator():
        links.append(ContactAccount(contact_id=pk, account_id=account, job_title=title, source=source))
        if len(links) == 1000:
            bulk_insert(links)
            added += len(links)
            links = []
    bulk_insert(links)
    return added + len(links)


@transaction.atomic
def change_job(
    contact: Contact,
    account: Account | None,
    *,
    on: dt.date | None = None,
    job_title: str = "",
    email: str = "",
    old_email_ends: bool = False,
    keep_roles: bool = False,
) -> Contact:
    """Move a contact to another primary account; the old employment ends, activities stay where they happened.

    email: the new address, empty for none known; the old one stays unless it ends. Seniority, department and (unless
    kept) buying roles belonged to the old job and are cleared. What follows of every change of the account, whoever
    makes it, is in `follow_job_change`.
    """
    day = on or effective_now().date()
    if contact.account_id is not None:
        link_primary_accounts([contact.pk])
    contact.__dict__["_job_changed_on"] = day
    contact.account, contact.job_title = account, job_title
    contact.seniority = contact.department = ""
    if email or old_email_ends:
        contact.email, contact.deliverability = email, Deliverability.UNKNOWN
    contact.save()
    contact.__dict__.pop("_job_changed_on", None)
    if not keep_roles:
        set_multi_values(contact, "buying_roles", [])
    return contact


def begin_job(contact: Contact) -> None:
    """List the account that a contact without one was given, from the day it was said to begin (2 queries)."""
    if contact.account_id is None:
        return
    jobs = ContactAccount.objects.filter(contact=contact, account=contact.account_id, ended_on__isnull=True)
    if not jobs.exists():
        ContactAccount.objects.create(
            contact=contact,
            account_id=contact.account_id,
            job_title=contact.job_title,
            started_on=contact.__dict__.get("_job_changed_on"),
            source=contact.source,
        )


@transaction.atomic
def follow_job_change(contact: Contact, before: Mapping[str, Any]) -> None:
    """End the job at the account that a contact was moved from and begin the new one; its deals lose a champion.

    before: the row as it was. Past activities, notes and roles in deals stay with the old account (≤ 8 queries).
    """
    day = contact.__dict__.get("_job_changed_on") or effective_now().date()
    follow_job_changes({contact.pk: before["account_id"]}, day, {contact.pk: before.get("job_title") or ""})


@transaction.atomic
def follow_job_changes(
    left: Mapping[int, int], day: dt.date | None = None, titles: Mapping[int, str] | None = None
) -> list[int]:
    """Do for many contacts what follows when their primary account changed; returns the deals without champion.

    left: contact -> the account it was moved from; `account` of the contacts is the new one already. Imports and other
    bulk writers call this themselves (≤ 8 queries, and some for each deal that lost its champion).
    """
    moment = day or effective_now().date()
    jobs = ContactAccount.objects.filter(contact_id__in=left, relation=ContactRelation.EMPLOYEE)
    # Of several jobs at one account the last wins: the one that runs on, on either database.
    in_order = jobs.order_by(F("ended_on").asc(nulls_last=True), "pk")
    listed = {(job.contact_id, job.account_id): job for job in in_order}
    ended, begun = [], []
    for contact, account in left.items():
        job = listed.get((contact, account))
        if job is None:
            title = (titles or {}).get(contact, "")
            begun.append(ContactAccount(contact_id=contact, account_id=account, ended_on=moment, job_title=title))
        elif job.ended_on is None:
            job.ended_on, job.updated_at = max(moment, job.started_on or moment), effective_now()
            ended.append(job)
    rows = Contact.objects.filter(pk__in=left, account__isnull=False)
    for contact, account, title in rows.values_list("pk", "account_id", "job_title"):
        job = listed.get((contact, account))
        if job is None or job.ended_on is not None:
            begun.append(ContactAccount(contact_id=contact, account_id=account, started_on=moment, job_title=title))
    ContactAccount.objects.bulk_update(ended, ["ended_on", "updated_at"], batch_size=300)
    ContactAccount.objects.bulk_create(begun, batch_size=300)
    return flag_departures(left, moment)


def follow_opportunities(opportunity_ids: Iterable[int]) -> int:
    """Let the lifecycle of the people of opportunities follow: opportunity, and customer once one is won.

    Never back to an earlier stage. Returns how many contacts changed (2 queries and one for 100 contacts).
    """
    opportunities = Opportunity.objects.live().filter(pk__in=list(opportunity_ids), stage__isnull=False)
    roles = OpportunityContact.objects.filter(opportunity__in=opportunities).select_related(
        "contact", "opportunity__stage"
    )
    changed: dict[int, Contact] = {}
    were: dict[int, str] = {}
    for role in roles.order_by("opportunity__opened_on", "pk"):
        contact = changed.get(role.contact_id, role.contact)
        stage: Any = role.opportunity.stage
        wanted = ContactLifecycle.CUSTOMER if stage.is_won else ContactLifecycle.OPPORTUNITY
        if stage.is_lost or _rank(contact.lifecycle_stage) >= _rank(wanted):
            continue
        were.setdefault(contact.pk, contact.lifecycle_stage)
        contact.lifecycle_stage = wanted
        if getattr(contact, f"became_{wanted}_at") is None:
            reached = role.opportunity.closed_at if stage.is_won else role.opportunity.stage_entered_at
            setattr(contact, f"became_{wanted}_at", reached or effective_now())
        contact.version += 1
        contact.updated_at = effective_now()
        changed[contact.pk] = contact
    columns = ["lifecycle_stage", "became_opportunity_at", "became_customer_at", "version", "updated_at"]
    Contact.objects.bulk_update(changed.values(), columns, batch_size=100)
    stages = [
        (pk, [{"field": "lifecycle_stage", "old": were[pk], "new": str(contact.lifecycle_stage)}])
        for pk, contact in changed.items()
    ]
    record_bulk("contact", stages)
    return len(changed)


def _rank(stage: str) -> int:
    return _ORDER.index(stage) if stage else -1
