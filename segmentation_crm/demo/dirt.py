"""What real data has too: people without account, companies and people kept twice, private addresses."""

import random

from django.utils.text import slugify

from accounts.models import Account, Contact
from accounts.services import accounts, contacts
from accounts.services.money import RateBook
from accounts.services.saving import after_bulk_write
from segmentation_crm.common.bulk_insert import bulk_insert, bulk_rewrite

from . import words
from .catalogue import SOURCE
from .story import Clock
from .writing import give_way_people


def scatter(seed: int, clock: Clock, size: int) -> None:
    """Write unmatched people and doubles, in proportion to the number of accounts (about 20 queries)."""
    rng = random.Random(f"{seed}:dirt")  # noqa: S311 (nothing secret)
    known = list(Account.objects.filter(source=SOURCE).order_by("pk")[:400])
    doubles = _double_accounts(rng, clock, known[: max(1, size // 40)])
    people = _unmatched(rng, clock, known, max(4, size // 6)) + _double_people(rng, clock, max(2, size // 40))
    give_way_people(people)
    for contact in people:
        contacts.fill_computed(contact)
    bulk_insert(people)
    after_bulk_write("account", [one.pk for one in doubles])
    after_bulk_write("contact", [one.pk for one in people])
    for records in (doubles, people):
        for record in records:
            record.updated_at = record.created_at
        bulk_rewrite(records, ["updated_at"])


def _double_accounts(rng: random.Random, clock: Clock, known: list[Account]) -> list[Account]:
    """Keep some companies twice: the same name with a legal form or in capitals, without domain."""
    book, found = RateBook.load(), []
    for account in known:
        name = rng.choice((f"{account.name} GmbH", account.name.upper(), f"{account.name} Ltd."))
        double = Account(
            name=name, country=account.country, city=account.city, source=SOURCE,
            created_at=clock.at(-rng.uniform(20, 400)), lifecycle_stage="target",
        )  # fmt: skip
        accounts.fill_computed(double, book)
        found.append(double)
    bulk_insert(found)
    return found


def _unmatched(rng: random.Random, clock: Clock, known: list[Account], count: int) -> list[Contact]:
    """Return people who gave a private address: some name a company we know, some one we do not, some none."""
    found = []
    for number in range(count):
        account = rng.choice(known)
        core = f"{rng.choice(words.COMPANY_HEADS)} & {rng.choice(words.LAST_NAMES)}"
        company = rng.choice((f"{account.name} AG", f"{account.name} Inc.", core, core, ""))
        found.append(_person(rng, clock, f"w{number}", company))
    return found


def _double_people(rng: random.Random, clock: Clock, count: int) -> list[Contact]:
    """Return people we have already under their business address, here with a private one."""
    found = []
    known = Contact.objects.filter(source=SOURCE, account__isnull=False).order_by("pk")
    for number, contact in enumerate(known[:count]):
        double = _person(rng, clock, f"d{number}", "")
        double.first_name, double.last_name, double.account = contact.first_name, contact.last_name, contact.account
        found.append(double)
    return found


def _person(rng: random.Random, clock: Clock, mark: str, company: str) -> Contact:
    first, last = rng.choice(words.FIRST_NAMES), rng.choice(words.LAST_NAMES)
    contact = Contact(
        first_name=first, last_name=last, email=f"{slugify(first)}_{slugify(last)}_{mark}@gmail.com", source=SOURCE,
        company_name_given=company, created_at=clock.at(-rng.uniform(1, 300)),
        lifecycle_stage=rng.choice(("", "subscriber", "lead")), job_title=rng.choice(("", "Planner", "Owner")),
    )  # fmt: skip
    return contact
