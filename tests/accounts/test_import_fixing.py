"""Rejected rows put right on the page: only what was changed is imported again, by whose import it is."""

import pytest

from accounts.models import Account, Import
from tests.accounts.test_imports_pages import client_of, page, people, run_job, upload  # noqa: F401 (fixtures)

pytestmark = pytest.mark.django_db

WRONG = "Company,Employees,City\nA GmbH,12,Ulm\nB Ltd,many,Leeds\nC SA,-7,Lyon\nD Oy,x,Turku\n"


@pytest.fixture
def ended(people):  # noqa: F811
    """Alice's import with three rejected rows, and her client."""
    alice = client_of(people["alice"])
    upload(alice, WRONG)
    record = Import.objects.get()
    heading, target = ["Company", "Employees", "City"], ["name", "employee_count", "city"]
    alice.post(page("import_map", record), {"heading": heading, "target": target, "key": "", "nulls": ""})
    alice.post(page("import_preview", record))
    run_job(record)
    record.refresh_from_db()
    assert (record.rows_created, record.rows_invalid) == (1, 3)
    return alice, record


def test_each_wrong_cell_is_marked_with_its_reason(ended):
    alice, record = ended
    body = alice.get(page("import_fix", record)).content.decode()
    assert body.count('aria-invalid="true"') == 3
    assert 'value="many"' in body
    assert 'value="Leeds"' in body


def test_the_rows_that_were_changed_are_imported_again(ended):
    alice, record = ended
    answer = alice.post(page("import_fix", record), {"2.1": "40", "3.1": "7", "4.1": "x"})
    again = Import.objects.exclude(pk=record.pk).get()
    assert answer.url == page("import_detail", again)
    run_job(again)
    again.refresh_from_db()
    assert (again.rows_created, again.rows_invalid) == (2, 0)
    made = {a.name: (a.employee_count, a.city) for a in Account.objects.all()}
    assert made == {"A GmbH": (12, "Ulm"), "B Ltd": (40, "Leeds"), "C SA": (7, "Lyon")}


def test_nothing_changed_says_so_and_a_wrong_fix_is_rejected_again(ended):
    alice, record = ended
    body = alice.post(page("import_fix", record), {"2.1": "many"}).content.decode()
    assert "No row was changed" in body
    alice.post(page("import_fix", record), {"2.1": "a lot"})
    again = Import.objects.exclude(pk=record.pk).get()
    run_job(again)
    again.refresh_from_db()
    assert (again.rows_created, again.rows_invalid) == (0, 1)


def test_only_whose_import_it_is_may_fix(ended, people):  # noqa: F811
    _, record = ended
    assert client_of(people["bob"]).get(page("import_fix", record)).status_code == 404
    assert client_of(people["bob"]).post(page("import_fix", record), {"2.1": "40"}).status_code == 404
    assert client_of(people["charlie"]).get(page("import_fix", record)).status_code == 403
    assert Import.objects.count() == 1
