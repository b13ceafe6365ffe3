"""How many events a second one call after the other takes in, with change capture on.

    DATABASE_URL=postgres://…/an_empty_database python -m tests.benchmarks.events 50000 [events a call]

Works in the database of DATABASE_URL, which should be empty, and leaves it empty of records; without it in a SQLite
file. Each call goes through the whole product but the network: token, limits, JSON, checks, references, storing,
joining of visitors, answer. A quarter of the events name their contact by e-mail, a quarter by number elsewhere, a
quarter by id, a quarter are anonymous of visitors who are known by one of the others.
"""

import json
import os
import statistics
import sys
import tempfile
import time
from typing import Any

FOLDER = tempfile.mkdtemp(prefix="crm-bench-")
os.environ.setdefault("DATABASE_URL", f"sqlite:///{FOLDER}/bench.sqlite3")
os.environ.setdefault("VAR_DIR", FOLDER)
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")
os.environ.setdefault("ALLOWED_HOSTS", "testserver")
CONTACTS = 100_000
URL = "/api/v1/activities/bulk/"


def main(events: int, a_call: int) -> None:
    """Make the contacts, send the events, then send them again; prints a line each."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection
    from rest_framework.test import APIClient

    from accounts.models import Account, Activity, ChangeRow, Contact, ExternalId
    from segmentation_crm.common.access import SCOPES
    from segmentation_crm.common.api.throttling import AtomicUserThrottle
    from segmentation_crm.common.models import ApiToken, Role, User

    call_command("migrate", verbosity=0)
    # The limit of calls a minute is not what is measured.
    AtomicUserThrottle.rate = staticmethod(lambda scope: (10**9, 60))  # type: ignore[method-assign]
    contacts = _contacts()
    user = User.objects.create(username="bench-events", role=Role.INTEGRATION)
    _, token = ApiToken.objects.create(user, expiry=None, name="Bench", scopes=list(SCOPES))
    client = APIClient(HTTP_AUTHORIZATION=f"Token {token}")
    calls = [
        json.dumps({"events": [_event(n, contacts) for n in range(start, min(start + a_call, events))]})
        for start in range(0, events, a_call)
    ]
    size = sum(map(len, calls)) / events
    print(f"{connection.vendor}, {len(contacts):,} contacts, {a_call:,} events a call, {size:,.0f} bytes an event")
    for name, wanted in (("new events", "created"), ("the same again", "duplicate")):
        took, done = [], 0
        for call in calls:
            began = time.monotonic()
            answer = client.post(URL, call, content_type="application/json", secure=True)
            took.append(time.monotonic() - began)
            assert answer.status_code == 200, answer.content[:500]
            assert not answer.json()["errors"], answer.json()["errors"][:3]
            done += answer.json()[wanted]
        assert done == events, done
        worst, usual = max(took), statistics.median(took)
        print(f"{name:16} {done / sum(took):9,.0f} events/s   a call {usual:6.2f} s, the slowest {worst:6.2f} s")
    joined = Activity.objects.filter(contact__isnull=False).count()
    print(f"{joined:,} of {events:,} have their contact; {ChangeRow.objects.count():,} change rows wait")
    ExternalId.objects.all()._raw_delete(connection.alias)
    for model in (Activity, Contact, Account, ChangeRow):
        model.objects.all()._raw_delete(connection.alias)
    ApiToken.objects.filter(user=user).delete()
    user.delete()


def _contacts() -> list[Any]:
    from accounts.models import Account, Contact, ExternalId
    from segmentation_crm.common.bulk_insert import bulk_insert, bulk_insert_rows

    accounts = [Account(name=f"Account {n}") for n in range(CONTACTS // 10)]
    bulk_insert(accounts)
    contacts = [
        Contact(last_name=f"Last {n}", email=f"person{n}@example.com", account=accounts[n % len(accounts)])
        for n in range(CONTACTS)
    ]
    bulk_insert(contacts)
    numbers = [("contact", one.pk, "shop", f"C{n}") for n, one in enumerate(contacts)]
    bulk_insert_rows(ExternalId, ("record_type", "record_id", "source", "external_id"), numbers)
    return contacts


def _event(n: int, contacts: list[Any]) -> dict[str, Any]:
    # Strides, so that the people of one call are spread over the table; every visitor is one person.
    visitor = (n // 4) * 7919 % len(contacts)
    person = contacts[visitor]
    way: dict[str, Any] = [
        {},
        {"email": person.email},
        {"contact_external_id": f"C{visitor}", "contact_source": "shop"},
        {"contact": person.pk},
    ][n % 4]
    return {
        "external_id": f"e-{n}",
        "source": "web",
        "type": "page_view",
        "occurred_at": f"2026-03-02T12:{n // 60 % 60:02}:{n % 60:02}Z",
        "visitor_id": f"visitor-{visitor}",
        "url_path": f"/pricing/{n % 50}",
        "referrer": "https://search.example/",
        "duration_s": n % 300,
        **way,
    }


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50_000, int(sys.argv[2]) if len(sys.argv) > 2 else 10_000)
