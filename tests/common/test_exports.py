"""Exports: what is shown and nothing else, safe for spreadsheets, for its owner only, for a day (R62, R63)."""

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.imports.error_file import plain_cell
from accounts.imports.xlsx_rows import read_sheet
from accounts.models import Account, Contact
from segmentation_crm.common import exports, jobs
from segmentation_crm.common.exports.cells import packed, unpacked
from segmentation_crm.common.models import AuditEntry, Export, Notification, Role, User
from tests.factories import AccountFactory, ContactFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

FORMULAS = [
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example","x")',
    "+1",
    "-1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "  =1+1",
    "\u00a0=1+1",
    "\u3000=1+1",
    "\ufeff=1+1",
    "\u200b=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
]


def written(user: User, record: str, format: str = "csv", **kwargs: Any) -> Export:
    """Ask for an export and run its job."""
    export = exports.request_export(user, record, format, **kwargs)
    state = jobs.run(export.job_id)
    export.refresh_from_db()
    assert state == "done", export.job.error
    return export


def rows_of(export: Export) -> list[list[str]]:
    text = exports.export_path(export).read_bytes().decode("utf-8")
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


@pytest.fixture
def boss():
    return UserFactory(role=Role.MARKETING_MANAGER)


def test_a_file_holds_the_columns_filters_and_sort_of_the_list(boss):
    for name, country in (("Aster", "DE"), ("Birch", "FR"), ("Cedar", "DE")):
        AccountFactory(name=name, country=country, employee_count=12)
    export = written(
        boss, "account", params={"country": "DE", "ordering": "-name", "columns": "name,employee_count,country"}
    )
    rows = rows_of(export)
    assert [row[:2] for row in rows[1:]] == [["Cedar", "12"], ["Aster", "12"]]
    assert len(rows[0]) == 3
    assert (export.rows, export.size) == (2, exports.export_path(export).stat().st_size)


def test_the_ticked_rows_alone_in_the_order_of_the_list(boss):
    rows = [ContactFactory(first_name="", last_name=f"Person {n}") for n in range(5)]
    export = written(boss, "contact", ids=[rows[3].pk, rows[1].pk], params={"ordering": "-name", "columns": "name"})
    assert [row[0] for row in rows_of(export)[1:]] == ["Person 3", "Person 1"]


def test_a_rep_gets_own_rows_a_team_its_own_and_a_viewer_none():
    rep = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    mate = UserFactory(role=Role.SALES_MANAGER, team=rep.team)
    other = UserFactory(role=Role.SALES_REP)
    AccountFactory(name="Mine", owner=rep)
    AccountFactory(name="Foreign", owner=other)
    for user, names in ((rep, ["Mine"]), (mate, ["Mine"]), (other, ["Foreign"])):
        assert [row[0] for row in rows_of(written(user, "account"))[1:]] == names
    with pytest.raises(PermissionDenied):
        exports.request_export(UserFactory(role=Role.VIEWER), "account", "csv")
    # A foreign key among the ticked ones adds nothing.
    foreign = Account.objects.get(name="Foreign")
    assert len(rows_of(written(rep, "account", ids=[foreign.pk]))) == 1


def test_an_analyst_gets_no_addresses_even_by_name(boss):
    ContactFactory(email="secret@kessler.example", phone="+49301234567")
    params = {"columns": "name,email,phone,mobile"}
    analyst = rows_of(written(UserFactory(role=Role.ANALYST), "contact", params=params))
    assert "secret@kessler.example" not in str(analyst)
    assert "+49" not in str(analyst)
    assert "secret@kessler.example" in str(rows_of(written(boss, "contact", params=params)))


@pytest.mark.parametrize("text", FORMULAS)
def test_r63_no_text_is_a_formula_and_comes_back_as_it_was(boss, text):
    safe = exports.safe_cell(text)
    assert safe == f"'{text}"
    if text[0] in "=+-@":
        assert plain_cell(safe) == text


@pytest.mark.parametrize(
    ("value", "cell"),
    [(-1, "-1"), (Decimal("-12.50"), "-12.50"), (0, "0"), (dt.date(2026, 3, 1), "2026-03-01"), (None, ""),
     (True, "true"), ("a=b", "a=b"), ("nul\x00", "nul"), ("\ud800", "\ufffd"), ("5 - 3", "5 - 3")],
)  # fmt: skip
def test_r63_figures_stay_figures(value, cell):
    assert exports.safe_cell(value) == cell
    assert unpacked(packed(value)) == value


def test_r63_names_of_records_in_both_formats(boss, tmp_path):
    for number, text in enumerate(FORMULAS):
        Account.objects.bulk_create([Account(name=text, domain=f"d{number}.example", name_folded=text)])
    Account.objects.create(name="Figures", employee_count=12, annual_revenue=Decimal("-5.25"))
    params = {"columns": "name,employee_count", "ordering": "name"}
    export = written(boss, "account", params=params)
    cells = [row[0] for row in rows_of(export)[1:]]
    assert sorted(cells) == sorted([*(f"'{text}" for text in FORMULAS), "Figures"])
    assert "12" in {row[1] for row in rows_of(export)}
    book = written(boss, "account", "xlsx", params=params)
    with zipfile.ZipFile(exports.export_path(book)) as archive:
        assert archive.testzip() is None
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "<v>12</v>" in sheet
    assert sheet.count('t="inlineStr"') >= len(FORMULAS)


def test_an_xlsx_reads_back_typed(boss):
    account = AccountFactory(employee_count=1234)
    Account.objects.filter(pk=account.pk).update(name="Aster & <Söhne>\u0007")
    book = written(boss, "account", "xlsx", params={"columns": "name,employee_count,updated_at"})
    rows = [row.cells for row in read_sheet(exports.export_path(book), "Sheet1")]
    assert rows[0][:2] == ["Account", "Employees"]
    assert rows[1][:2] == ["Aster & <Söhne>", "1234"]
    assert dt.datetime.fromisoformat(rows[1][2]).year == account.updated_at.year
    with zipfile.ZipFile(exports.export_path(book)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>1234</v>" in sheet


def test_a_file_is_its_owners_alone_for_a_day(boss, client):
    AccountFactory(name="Aster")
    export = written(boss, "account")
    url = reverse("exports:download", args=[export.pk])
    for role in Role.values:
        other = Client()
        other.force_login(UserFactory(role=role))
        assert other.get(url).status_code == 404
    client.force_login(boss)
    answer = client.get(url)
    assert b"Aster" in b"".join(answer.streaming_content)
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="Accounts ')
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer.headers["Cache-Control"]
    assert b"Download" in client.get(reverse("exports:list")).content
    path = exports.export_path(export)
    assert path.stat().st_mode & 0o077 == 0
    Export.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert client.get(url).status_code == 404
    assert exports.sweep_exports() == 1
    assert not path.exists()
    assert list(path.parent.iterdir()) == []
    assert b"the file is gone" in client.get(reverse("exports:list")).content


def test_r16_the_name_of_a_file_is_no_path():
    export = Export(title='../..\\x:"\u202e\r\n.csv', format="csv", created_at=timezone.now())
    name = exports.file_name(export)
    assert not set(name) & set('/\\:"\u202e\r\n')


def test_r62_ten_an_hour_then_words(boss, client):
    client.force_login(boss)
    for _ in range(10):
        assert client.post(reverse("exports:new"), {"record": "account", "format": "csv"}).status_code == 302
    refused = client.post(reverse("exports:new"), {"record": "account", "format": "csv"})
    assert refused.status_code == 429
    assert b"10 exports within the hour" in refused.content
    assert AuditEntry.objects.filter(action="export.requested").count() == 10


def test_the_owner_is_told_once(boss):
    export = written(boss, "account")
    told = Notification.objects.get(user=boss)
    assert told.title == "Your export of 0 accounts is ready"
    assert told.url == reverse("exports:list")
    assert exports.export_path(export).exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": Role.VIEWER}])
def test_who_may_no_more_gets_no_file(boss, change):
    export = exports.request_export(boss, "account", "csv")
    User.objects.filter(pk=boss.pk).update(**change)
    assert jobs.run(export.job_id) == "failed"
    assert not exports.export_path(export).exists()


def test_a_role_that_changes_meanwhile_takes_no_addresses_along(boss):
    ContactFactory(email="secret@kessler.example")
    export = exports.request_export(boss, "contact", "csv", params={"columns": "name,email"})
    User.objects.filter(pk=boss.pk).update(role=Role.ANALYST)
    assert jobs.run(export.job_id) == "failed"
    export.job.refresh_from_db()
    assert "Export again" in export.job.error


@pytest.mark.parametrize(
    "data",
    [{}, {"record": "nothing"}, {"record": "contact", "query": "nonsense=1"}, {"record": "contact", "format": "exe"},
     {"record": "contact", "query": "rules=%7B"}, {"record": "contact", "pks": ",".join(map(str, range(1, 10_002)))}],
)  # fmt: skip
def test_nonsense_never_breaks_the_server(boss, client, data):
    client.force_login(boss)
    assert client.post(reverse("exports:new"), data).status_code in (302, 404)
    assert not Export.objects.exists()


@pytest.mark.parametrize("record", ["account", "contact", "opportunity", "activity", "segment", "task"])
@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_every_list_can_be_exported_with_every_column(boss, record, format):
    from segmentation_crm.common import lists

    keys = [column.key for column in lists.get(record).columns(boss, [])]
    export = written(boss, record, format, params={"columns": ",".join(keys)})
    assert export.columns[:40] == keys[:40]


def test_pages_are_read_in_a_few_queries(boss, django_assert_max_num_queries):
    Contact.objects.bulk_create(Contact(last_name=f"P{n}") for n in range(2500))
    export = exports.request_export(boss, "contact", "csv")
    with django_assert_max_num_queries(110):
        assert jobs.run(export.job_id) == "done"
    assert len(rows_of(Export.objects.get(pk=export.pk))) == 2501
    assert [file.name for file in Path(exports.export_path(export).parent).iterdir()] == [export.path]
