"""Which account a contact without account belongs to: by e-mail domain, else by company name as a proposal.

One rule for forms, API and imports: a single save asks `match_one`, bulk writers and the job ask `match_accounts`.
A domain counts where exactly one live account has it, as its domain or among its e-mail domains, and it is no
free-mail provider. A name counts where exactly one live account has it, with or without a legal form; names only
propose, and a proposal that a person refused is never made again.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.folding import fold
from segmentation_crm.common.jobs import enqueue
from segmentation_crm.common.models import Job, User
from segmentation_crm.common.services import audit

from ..models import Account, AccountValue, Contact
from ..queries import accounts_visible_to
from .changes import record_bulk
from .completeness import completeness
from .contacts import link_primary_accounts
from .normalisation import free_mail_domains, normalise_domain

BATCH = 1000
MATCHING_JOB = "contacts.match"
# As they stand at the end of a name, folded and without dots.
LEGAL_FORMS = (
    "ab", "ag", "as", "asa", "bv", "co", "co kg", "company", "corp", "corporation", "eg", "ev", "gmbh", "gmbh & co kg",
    "holding", "inc", "incorporated", "kft", "kg", "kk", "limited", "llc", "llp", "lp", "ltd", "ltda", "mbh", "nv",
    "oy", "oyj", "plc", "pte ltd", "pty ltd", "pvt ltd", "sa", "sarl", "sas", "se", "sl", "spa", "sp z oo", "srl", "ug",
)  # fmt: skip
_DOTTED = (
    "a.s.", "b.v.", "co. kg", "gmbh & co. kg", "l.l.c.", "l.p.", "n.v.", "pte. ltd.", "pty. ltd.", "pvt. ltd.", "s.a.",
    "s.a.s.", "s.l.", "s.p.a.", "s.r.l.", "sp. z o.o.", "e.v.",
)  # fmt: skip
_AFTER_COMMA = ("inc", "inc.", "llc", "l.l.c.", "ltd", "ltd.", "corp.", "s.a.", "lp", "l.p.")
# Everything that may follow a company's name in its folded form.
_ENDINGS = (
    *(f" {form}" for form in (*LEGAL_FORMS, *_DOTTED)),
    *(f" {form}." for form in ("ab", "co", "corp", "inc", "ltd", "ltda")),
    *(f", {form}" for form in _AFTER_COMMA),
)
_AT_END = re.compile(rf"[\s,]+(?:{'|'.join(sorted(map(re.escape, LEGAL_FORMS), key=len, reverse=True))})$")


class Waiting(NamedTuple):
    """What matching reads of a contact without account."""

    pk: int | None
    domain: str
    name: str
    proposed: int | None
    refused: int | None


class Match(NamedTuple):
    """The account of a contact by its domain, or the one proposed by its company's name."""

    account: int | None
    proposed: int | None


def without_legal_form(name_folded: str) -> str:
    """Return a folded company name without dots and without the legal forms at its end."""
    core = name_folded.replace(".", "").strip(" ,")
    while (shorter := _AT_END.sub("", core)) != core and shorter:
        core = shorter
    return core


def match_one(contact: Contact) -> None:
    """Set the account of a contact that has none, or its proposal, before it is saved (up to 5 queries).

    `email_domain` must be computed already. Does nothing where the contact has an account.
    """
    if contact.account_id is not None:
        return
    name = fold(contact.company_name_given)
    waiting = Waiting(contact.pk, contact.email_domain, name, contact.proposed_account_id, contact.refused_account_id)
    if not waiting.domain and not waiting.name:
        contact.proposed_account = None
        return
    found = _matches([waiting])[0]
    contact.proposed_account_id = found.proposed
    if found.account is not None:
        contact.account_id = found.account
        contact.data_completeness_pct = completeness(contact)


def match_accounts(ids: Iterable[int] | None = None) -> dict[str, int]:
    """Match contacts without account, of these ids or all; returns {"matched", "proposed"}.

    Up to 8 queries for 1,000 contacts, each thousand in a transaction of its own; running it twice changes nothing.
    """
    waiting = unmatched()
    if ids is not None:
        waiting = waiting.filter(pk__in=list(ids))
    return _match_all(waiting)


def match_contacts_of(account: Account) -> dict[str, int]:
    """Match the waiting contacts that an account's domains or name may explain: after it is made or renamed."""
    domains = {account.domain} - free_mail_domains() - {""}
    domains |= set(account.values_multi.filter(field="email_domains").values_list("token", flat=True))
    names = _variants(fold(account.name)) - {""}
    return _match_all(unmatched().filter(Q(email_domain__in=domains) | Q(company_name_given_folded__in=names)))


def queue_matching(user: User | None = None) -> Job:
    """Queue the matching of all waiting contacts; a job that waits already serves (1 to 3 queries)."""
    return enqueue(MATCHING_JOB, key=MATCHING_JOB, user=user)


def unmatched() -> QuerySet[Contact]:
    """Return the live contacts without account."""
    return Contact.objects.live().filter(account__isnull=True)


def _match_all(waiting: QuerySet[Contact]) -> dict[str, int]:
    columns = ("pk", "email_domain", "company_name_given_folded", "proposed_account_id", "refused_account_id")
    done, last = {"matched": 0, "proposed": 0}, 0
    waiting = waiting.order_by("pk")
    while batch := [Waiting(*row) for row in waiting.filter(pk__gt=last).values_list(*columns)[:BATCH]]:
        last = batch[-1].pk or last
        with transaction.atomic():
            found = {one.pk: match for one, match in zip(batch, _matches(batch), strict=True)}
            matched = {pk: match.account for pk, match in found.items() if match.account is not None}
            proposed = {
                one.pk: found[one.pk].proposed
                for one in batch
                if one.pk not in matched and found[one.pk].proposed != one.proposed
            }
            _set_accounts(matched, proposed)
        done["matched"] += len(matched)
        done["proposed"] += sum(account is not None for account in proposed.values())
    return done


def _matches(batch: list[Waiting]) -> list[Match]:
    by_domain = _accounts_of_domains({one.domain for one in batch} - free_mail_domains() - {""})
    rest = [one.name for one in batch if one.domain not in by_domain]
    by_name = _accounts_of_names(set(rest) - {""})
    found = []
    for one in batch:
        account = by_domain.get(one.domain)
        proposal = None if account is not None else by_name.get(one.name)
        found.append(Match(account, proposal if proposal != one.refused else None))
    return found


def _set_accounts(matched: dict[int | None, int], proposed: dict[int | None, int | None]) -> None:
    """Write accounts and proposals (4 queries where there are any; no row is read that stays as it is)."""
    if not matched and not proposed:
        return
    # Somebody else may have given or taken a row since it was looked at.
    rows = unmatched().filter(pk__in=[*matched, *proposed]).order_by("pk")
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
    found = [(c.pk, [{"field": "account", "old": None, "new": c.account_id}]) for c in with_account]
    record_bulk("contact", found)


def accept_proposed_account(contact: Contact) -> Contact:
    """Make the proposed account the contact's own; does nothing without a proposal."""
    if contact.proposed_account_id is not None and contact.account_id is None:
        contact.account_id, contact.proposed_account_id = contact.proposed_account_id, None
        contact.save()
    return contact


def refuse_proposed_account(contact: Contact) -> Contact:
    """Take the proposal away for good; does nothing without one."""
    if contact.proposed_account_id is not None:
        contact.refused_account_id, contact.proposed_account_id = contact.proposed_account_id, None
        contact.save()
    return contact


@transaction.atomic
def assign_domain(domain: str, account: Account, actor: AnyUser | None = None) -> dict[str, int]:
    """Let an e-mail domain belong to an account from now on and match the contacts that wait for it. Audited.

    Returns {"matched", "proposed"}. Raises ValidationError for a free-mail provider, a text that is no domain, and
    a domain that another account has.
    """
    wanted = normalise_domain(domain)
    if not wanted:
        raise ValidationError({"domain": f"“{domain[:80]}” is no domain. Give one such as example.com."})
    if wanted in free_mail_domains():
        raise ValidationError({"domain": f"{wanted} is a free-mail provider: its addresses say nothing of a company."})
    other = _accounts_with(wanted).exclude(pk=account.pk).first()
    if other is not None:
        is_seen = actor is None or accounts_visible_to(actor).filter(pk=other.pk).exists()
        whose = str(other) if is_seen else "Another account, not visible to you,"
        raise ValidationError({"domain": f"{whose} has the domain {wanted} already."})
    if account.domain != wanted:
        AccountValue.objects.get_or_create(account=account, field="email_domains", token=wanted)
        audit.record(actor, "account.email_domain_added", account, domain=wanted)
    return _match_all(unmatched().filter(email_domain=wanted))


def _accounts_with(domain: str) -> QuerySet[Account]:
    listed = AccountValue.objects.filter(field="email_domains", token=domain).values("account")
    return Account.objects.live().filter(Q(domain=domain) | Q(pk__in=listed))


def _accounts_of_domains(domains: set[str]) -> dict[str, int]:
    if not domains:
        return {}
    found: dict[str, set[int]] = {}
    live = Account.objects.live()
    for domain, pk in live.filter(domain__in=domains).order_by().values_list("domain", "pk"):
        found.setdefault(domain, set()).add(pk)
    others = AccountValue.objects.filter(field="email_domains", token__in=domains, account__in=live)
    for domain, pk in others.values_list("token", "account_id"):
        found.setdefault(domain, set()).add(pk)
    return {domain: pks.pop() for domain, pks in found.items() if len(pks) == 1}


def _variants(name: str) -> set[str]:
    """Return the spellings under which the same company may be kept."""
    core = without_legal_form(name)
    return {name, core, *(core + ending for ending in _ENDINGS)}


def _accounts_of_names(names: set[str]) -> dict[str, int]:
    """Return the account of each name: equal first, else equal but for the legal form (2 queries, more by 100s)."""
    exact = _by_name(names)
    left = sorted(name for name in names if name not in exact)
    for start in range(0, len(left), 100):
        part = left[start : start + 100]
        candidates = _by_name({variant for name in part for variant in _variants(name)})
        for name in part:
            pks = {pk for variant in _variants(name) for pk in candidates.get(variant, [])}
            if len(pks) == 1:
                exact[name] = [pks.pop()]
    return {name: pks[0] for name, pks in exact.items() if len(pks) == 1}


def _by_name(names: set[str]) -> dict[str, list[int]]:
    if not names:
        return {}
    found: dict[str, list[int]] = {}
    rows = Account.objects.live().filter(name_folded__in=names).order_by("pk")
    for name, pk in rows.values_list("name_folded", "pk"):
        found.setdefault(name, []).append(pk)
    return found
