"""Writing contacts: what is computed from a row, their accounts, jobs and lifecycle."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef

from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_now

from ..choices import ContactLifecycle, ContactRelation
from ..models import Account, AccountValue, Contact, ContactAccount, Opportunity, OpportunityContact
from .completeness import completeness
from .normalisation import email_domain, free_mail_domains, normalise_email, normalise_phone, tidy

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
) -> Contact:
    """Move a contact to another primary account; the old employment ends, activities stay where they happened."""
    day = on or effective_now().date()
    links = ContactAccount.objects.filter(contact=contact, relation=ContactRelation.EMPLOYEE, ended_on__isnull=True)
    if contact.account_id is not None:
        link_primary_accounts([contact.pk])
        if contact.account_id != getattr(account, "pk", None):
            for link in links.filter(account=contact.account_id):
                link.ended_on = max(day, link.started_on) if link.started_on else day
                link.save()
    if account is not None and not links.filter(account=account).exists():
        ContactAccount.objects.create(contact=contact, account=account, started_on=day, job_title=job_title)
    contact.account, contact.job_title = account, job_title
    contact.seniority = contact.department = ""
    contact.save()
    return contact


def match_accounts(ids: Iterable[int] | None = None) -> dict[str, int]:
    """Give contacts without account the one of their e-mail domain; propose one by the company's name.

    A domain counts where exactly one live account has it, as its domain or among its e-mail domains, and it is no
    free-mail provider. Returns {"matched", "proposed"}. 5 queries for 1,000 contacts.
    """
    free = free_mail_domains()
    waiting = Contact.objects.live().filter(account__isnull=True).order_by("pk")
    if ids is not None:
        waiting = waiting.filter(pk__in=list(ids))
    columns = ("pk", "email_domain", "company_name_given_folded", "proposed_account_id")
    done, last = {"matched": 0, "proposed": 0}, 0
    while batch := list(waiting.filter(pk__gt=last).values_list(*columns)[:1000]):
        last = batch[-1][0]
        with transaction.atomic():
            by_domain = _accounts_of_domains({domain for _, domain, _, _ in batch} - free - {""})
            by_name = _accounts_of_names({name for _, _, name, _ in batch} - {""})
            matched = {pk: by_domain[domain] for pk, domain, _, _ in batch if domain in by_domain}
            proposed = {
                pk: by_name.get(name)
                for pk, _, name, before in batch
                if pk not in matched and by_name.get(name) != before
            }
            _set_accounts(matched, proposed)
        done["matched"] += len(matched)
        done["proposed"] += sum(account is not None for account in proposed.values())
    return done


def _set_accounts(matched: dict[int, int], proposed: dict[int, int | None]) -> None:
    """Write accounts and proposals (4 queries where there are any; no row is read that stays as it is)."""
    if not matched and not proposed:
        return
    # Somebody else may have given or taken a row since it was looked at.
    rows = Contact.objects.live().filter(pk__in=[*matched, *proposed], account__isnull=True).order_by("pk")
    with_account, with_proposal = [], []
    for contact in rows:
        if contact.pk in matched:
            contact.account_id, contact.proposed_account_id = matched[contact.pk], None
            contact.data_completeness_pct = completeness(contact)
            with_account.append(contact)
        else:
            contact.proposed_account_id = proposed[contact.pk]
            with_proposal.append(contact)
    Contact.objects.bulk_update(with_account, ["account", "proposed_account", "data_completeness_pct"])
    Contact.objects.bulk_update(with_proposal, ["proposed_account"])
    link_primary_accounts([contact.pk for contact in with_account])


def accept_proposed_account(contact: Contact) -> Contact:
    """Make the proposed account the contact's own; does nothing without a proposal."""
    if contact.proposed_account_id is not None:
        contact.account_id, contact.proposed_account_id = contact.proposed_account_id, None
        contact.save()
    return contact


def _accounts_of_domains(domains: set[str]) -> dict[str, int]:
    found: dict[str, set[int]] = {}
    live = Account.objects.live()
    for domain, pk in live.filter(domain__in=domains).order_by().values_list("domain", "pk"):
        found.setdefault(domain, set()).add(pk)
    others = AccountValue.objects.filter(field="email_domains", token__in=domains, account__in=live)
    for domain, pk in others.values_list("token", "account_id"):
        found.setdefault(domain, set()).add(pk)
    return {domain: pks.pop() for domain, pks in found.items() if len(pks) == 1}


def _accounts_of_names(names: set[str]) -> dict[str, int]:
    found: dict[str, list[int]] = {}
    rows = Account.objects.live().filter(name_folded__in=names).order_by("pk")
    for name, pk in rows.values_list("name_folded", "pk"):
        found.setdefault(name, []).append(pk)
    return {name: pks[0] for name, pks in found.items() if len(pks) == 1}


def follow_opportunities(opportunity_ids: Iterable[int]) -> int:
    """Let the lifecycle of the people of opportunities follow: opportunity, and customer once one is won.

    Never back to an earlier stage. Returns how many contacts changed (2 queries and one for 100 contacts).
    """
    opportunities = Opportunity.objects.live().filter(pk__in=list(opportunity_ids), stage__isnull=False)
    roles = OpportunityContact.objects.filter(opportunity__in=opportunities).select_related(
        "contact", "opportunity__stage"
    )
    changed: dict[int, Contact] = {}
    for role in roles.order_by("opportunity__opened_on", "pk"):
        contact = changed.get(role.contact_id, role.contact)
        stage: Any = role.opportunity.stage
        wanted = ContactLifecycle.CUSTOMER if stage.is_won else ContactLifecycle.OPPORTUNITY
        if stage.is_lost or _rank(contact.lifecycle_stage) >= _rank(wanted):
            continue
        contact.lifecycle_stage = wanted
        if getattr(contact, f"became_{wanted}_at") is None:
            reached = role.opportunity.closed_at if stage.is_won else role.opportunity.stage_entered_at
            setattr(contact, f"became_{wanted}_at", reached or effective_now())
        contact.version += 1
        contact.updated_at = effective_now()
        changed[contact.pk] = contact
    columns = ["lifecycle_stage", "became_opportunity_at", "became_customer_at", "version", "updated_at"]
    Contact.objects.bulk_update(changed.values(), columns, batch_size=100)
    return len(changed)


def _rank(stage: str) -> int:
    return _ORDER.index(stage) if stage else -1
