"""Change capture across connections: open writers, late commits, TRUNCATE, COPY and raw SQL of other programs."""

import sqlite3
import threading
from typing import Any

import pytest
from django.db import connection, connections, transaction

from accounts import capture
from accounts.models import ChangeRow, Contact
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)
on_postgresql = pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one writer at a time")


def took() -> capture.Taken:
    """Take what waits."""
    with transaction.atomic():
        return capture.take()


def other() -> Any:
    """Return a connection of another program, in a transaction once it writes."""
    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return sqlite3.connect(values["NAME"], timeout=10)
    import psycopg

    return psycopg.connect(
        host=values["HOST"] or None,
        port=values["PORT"] or None,
        user=values["USER"] or None,
        password=values["PASSWORD"] or None,
        dbname=values["NAME"],
    )


def version() -> str:
    return capture.table_versions(["accounts_contact"])["accounts_contact"]


def test_raw_sql_of_another_program():
    contact = make.ContactFactory()
    took()
    before = version()
    apart = other()
    apart.execute("UPDATE accounts_contact SET country = 'DE' WHERE id = " + str(contact.pk))
    assert not capture.pending()
    assert version() == before
    apart.commit()
    apart.close()
    assert version() != before
    assert set(took().touched["contact"]) == {contact.pk}
    assert version() != before


@on_postgresql
def test_a_late_commit_is_neither_lost_nor_hidden():
    """A writer that began first and commits last: its row is taken then, and its version is seen."""
    early, late = make.ContactFactory(), make.ContactFactory()
    took()
    seen = [version()]
    apart = other()
    apart.execute("UPDATE accounts_contact SET country = 'DE' WHERE id = " + str(early.pk))
    Contact.objects.filter(pk=late.pk).update(country="FR")
    seen.append(version())
    found = took()
    assert set(found.touched["contact"]) == {late.pk}
    assert not found.more
    seen.append(version())
    assert seen[2] == seen[1], "taking changes no version"
    apart.commit()
    apart.close()
    seen.append(version())
    assert set(took().touched["contact"]) == {early.pk}
    assert version() == seen[3]
    assert len({seen[0], seen[1], seen[3]}) == 3


@on_postgresql
def test_a_refresh_that_is_still_open_hides_nothing_from_the_next_one():
    first, second = make.ContactFactory(), make.ContactFactory()
    took()
    Contact.objects.filter(pk=first.pk).update(country="DE")
    before = version()
    found: list[capture.Taken] = []

    def refresh_apart() -> None:
        try:
            found.append(took())
        finally:
            connections.close_all()

    with transaction.atomic():
        mine = capture.take()
        apart = other()
        apart.execute("UPDATE accounts_contact SET country = 'FR' WHERE id = " + str(second.pk))
        apart.commit()
        apart.close()
        thread = threading.Thread(target=refresh_apart)
        thread.start()
        # The other refresh passes over what this one holds and may wait for it to end.
        thread.join(1)
    thread.join(20)
    assert set(mine.touched["contact"]) == {first.pk}
    assert set(found[0].touched["contact"]) == {second.pk}
    assert version() != before
    assert not ChangeRow.objects.exists()


@on_postgresql
def test_two_writers_do_not_wait_for_each_other():
    first, second = make.ContactFactory(), make.ContactFactory()
    apart = other()
    apart.execute("UPDATE accounts_contact SET country = 'DE' WHERE id = " + str(first.pk))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        Contact.objects.filter(pk=second.pk).update(country="FR")
    apart.rollback()
    apart.close()
    assert set(took().touched["contact"]) == {first.pk, second.pk}


@on_postgresql
def test_truncate_marks_a_rebuild():
    make.ContactFactory()
    took()
    before = version()
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE accounts_accounttechnology, accounts_contactvalue")
    found = took()
    assert (found.rebuild_all, found.touched, capture.pending()) == (True, {}, False)
    assert version() == before
    assert capture.table_versions(["accounts_contactvalue"]) != {"accounts_contactvalue": "0.0.0.0"}


@on_postgresql
def test_copy_of_another_program():
    account = make.AccountFactory()
    took()
    apart = other()
    columns = "type, direction, occurred_at, account_id, source, created_at, updated_at"
    defaults = {
        f.column: f.get_default()
        for f in make.models.Activity._meta.concrete_fields
        if f.column not in columns and not f.primary_key and not f.null
    }
    names = ", ".join([columns, *defaults])
    with apart.cursor() as cursor, cursor.copy(f"COPY accounts_activity ({names}) FROM STDIN") as copy:
        for n in range(3):
            moment = f"2026-01-0{n + 1}T00:00:00Z"
            row = ["email_open", "inbound", moment, account.pk, "", moment, moment, *defaults.values()]
            copy.write_row([value if value is not None else "" for value in row])
    apart.commit()
    apart.close()
    found = took()
    assert set(found.touched["account"]) == {account.pk}
    assert len(found.touched["activity"]) == 3
    assert {(c.field, c.new) for c in found.changes} == {("type", "email_open")}


@on_postgresql
def test_a_plan_made_for_one_row_serves_a_large_statement():
    """PostgreSQL keeps a trigger's plans for the session; a nested loop of 20,000 × 20,000 rows would not end."""
    Contact.objects.bulk_create([Contact(last_name=f"n{n}") for n in range(20_000)], batch_size=5000)
    one = Contact.objects.earliest("pk")
    for country in ("DE", "FR", "IT", "ES", "AT", "CH", "DE"):
        Contact.objects.filter(pk=one.pk).update(country=country)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '15s'")
        Contact.objects.update(seniority="manager")
    assert took().rebuild_all
