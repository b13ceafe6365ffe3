"""What change capture costs a writer, and how fast a refresh takes what it left.

    DATABASE_URL=postgres://…/an_empty_database python -m tests.benchmarks.capture 200000

Works in the database of DATABASE_URL, which should be empty, and leaves it empty of records; without it in a SQLite
file. Each figure is the best of three; "without" has the capture triggers dropped, all others stay.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

FOLDER = tempfile.mkdtemp(prefix="crm-bench-")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{FOLDER}/bench.sqlite3")
os.environ.setdefault("VAR_DIR", FOLDER)
os.environ.setdefault("DATABASE_ROLE", "worker")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")
TIMES = 3


def main(rows: int) -> None:
    """Measure writes with and without capture, then taking; prints a line each."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection, transaction

    from accounts import capture
    from accounts.models import Account, Activity, CaptureVersion, ChangeRow, Contact, FieldHistory
    from segmentation_crm.common.bulk_insert import bulk_insert
    from segmentation_crm.common.triggers import drop, install

    call_command("migrate", verbosity=0)
    triggers = capture.capture_triggers(connection.vendor)
    accounts = [Account(name=f"Account {n}") for n in range(max(1, rows // 10))]
    bulk_insert(accounts)
    contacts = [_contact(Contact, n, accounts) for n in range(rows)]
    moment = contacts[0].created_at

    def fresh_contacts() -> None:
        for contact in contacts:
            contact.pk = None
        bulk_insert(contacts)

    def events() -> None:
        bulk_insert([_event(Activity, n, contacts, moment) for n in range(rows)])

    def one_by_one() -> None:
        with connection.cursor() as cursor:
            for contact in contacts[:2000]:
                cursor.execute("UPDATE accounts_contact SET country = 'FR' WHERE id = %s", [contact.pk])

    def many_at_once() -> None:
        Contact.objects.filter(pk__lte=contacts[min(20_000, rows) - 1].pk).update(seniority="manager")

    def with_history() -> None:
        Contact.objects.filter(pk__lte=contacts[min(20_000, rows) - 1].pk).update(lifecycle_stage="lead")

    print(f"{connection.vendor}, {rows:,} contacts, {len(accounts):,} accounts")
    works: list[tuple[str, int, Callable[[], None]]] = [
        ("insert contacts", rows, fresh_contacts),
        ("insert activities", rows, events),
        ("update 2,000, one statement each", 2000, one_by_one),
        ("update 20,000 in one statement", min(20_000, rows), many_at_once),
        ("the same of a field with history", min(20_000, rows), with_history),
    ]
    for name, count, work in works:
        if work is not fresh_contacts:
            fresh_contacts()
        found = {}
        for kept in (False, True):
            (install if kept else drop)(connection, triggers)
            found[kept] = min(_timed(transaction, work) for _ in range(TIMES))
        cost = 100 * (found[True] / found[False] - 1)
        print(
            f"{name:34} without {found[False]:7.2f} s  with {found[True]:7.2f} s  {cost:+6.0f} %  "
            f"{count / found[True]:10,.0f} rows/s"
        )
        if work is not fresh_contacts:
            Contact.objects.all()._raw_delete(connection.alias)
    fresh_contacts()
    ChangeRow.objects.all().delete()
    Contact.objects.update(seniority="director")
    began = time.monotonic()
    with transaction.atomic():
        capture.taking.REBUILD_FLOOR = 10**9
        taken = capture.take(10**9)
        took = time.monotonic() - began
        keys = len(taken.touched["contact"])
    print(f"take {keys:,} touched contacts ({taken.rows:,} change rows)   {took:6.2f} s")
    for model in (Activity, FieldHistory, Contact, Account, ChangeRow, CaptureVersion):
        model.objects.all()._raw_delete(connection.alias)


def _timed(transaction: Any, work: Callable[[], None]) -> float:
    """Return the seconds of a work whose writes are rolled back."""
    with transaction.atomic():
        began = time.monotonic()
        work()
        took = time.monotonic() - began
        transaction.set_rollback(True)
    return took


def _contact(model: Any, n: int, accounts: list[Any]) -> Any:
    return model(
        first_name=f"First {n}",
        last_name=f"Last {n}",
        email=f"person{n}@example.com",
        job_title="Head of Purchasing",
        country="DE",
        account=accounts[n % len(accounts)],
    )


def _event(model: Any, n: int, contacts: list[Any], moment: Any) -> Any:
    contact = contacts[n % len(contacts)]
    return model(
        type="email_open",
        direction="inbound",
        occurred_at=moment,
        contact_id=contact.pk,
        account_id=contact.account_id,
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000)
