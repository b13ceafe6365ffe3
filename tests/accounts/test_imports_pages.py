"""The import pages and the job behind them: who sees what, and a file's way from upload to result."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from accounts.imports import service, uploads
from accounts.imports.options import ImportOptions
from accounts.imports.plan import allowed_targets
from accounts.imports.previews import warning_words
from accounts.imports.types import import_type
from accounts.models import Account, Contact, Import, ImportRow
from segmentation_crm.common import jobs
from segmentation_crm.common.models import Job, JobState, Role, User
from tests.factories import TeamFactory, UserFactory

pytestmark = pytest.mark.django_db

CSV = "Company,Employees,Shoe size\nA GmbH,12,40\nB Ltd,many,41\nC SA,7,42\n"


@pytest.fixture
def people() -> dict[str, User]:
    """Alice imports; Bob of her team may import too but not see hers; Charlie only reads."""
    team = TeamFactory()
    return {
        "alice": UserFactory(username="alice", role=Role.MARKETING_MANAGER, team=team),
        "bob": UserFactory(username="bob", role=Role.SALES_MANAGER, team=team),
        "charlie": UserFactory(username="charlie", role=Role.VIEWER),
        "admin": UserFactory(username="boss", role=Role.ADMIN),
    }


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def upload(client: Client, text: str = CSV, name: str = "accounts.csv", type_: str = "accounts") -> Any:
    file = SimpleUploadedFile(name, text.encode())
    return client.post(reverse("accounts:import_new"), {"file": file, "type": type_, "source": "import"})


def page(name: str, record: Import) -> str:
    return reverse(f"accounts:{name}", args=[record.public_id])


def run_job(record: Import) -> Job:
    record.refresh_from_db()
    jobs.run(record.job_id)
    return Job.objects.get(pk=record.job_id)


def test_a_file_goes_from_upload_to_result(people: dict[str, User]):
    alice = client_of(people["alice"])
    assert upload(alice).status_code == 302
    record = Import.objects.get()
    assert record.stored_name not in ("", "accounts.csv")
    body = alice.get(page("import_map", record)).content.decode()
    assert "Shoe size" in body
    assert "Guessed from its name" in body
    assert "utf-8" in body
    answer = alice.post(
        page("import_map", record),
        {
            "heading": ["Company", "Employees", "Shoe size"],
            "target": ["name", "employee_count", ""],
            "key": "",
            "nulls": "",
        },
    )
    assert answer.status_code == 302, answer.content
    body = alice.get(page("import_preview", record)).content.decode()
    assert "Rejected" in body
    assert "many" in body
    assert not Account.objects.exists()
    assert alice.post(page("import_preview", record)).status_code == 302
    assert alice.get(page("import_state", record)).status_code == 204
    job = run_job(record)
    assert job.state == JobState.DONE, job.error
    assert (job.result["created"], job.result["invalid"]) == (2, 1)
    assert alice.get(page("import_state", record)).headers["HX-Refresh"] == "true"
    body = alice.get(page("import_detail", record)).content.decode()
    assert "not a number" in body
    assert alice.get(reverse("accounts:import_list")).status_code == 200
    errors = alice.get(page("import_errors", record))
    text = b"".join(errors.streaming_content).decode("utf-8-sig")
    assert "B Ltd,many,41,3,Employees" in text
    assert errors.headers["Cache-Control"] == "no-store"
    assert "attachment" in errors.headers["Content-Disposition"]
    assert set(Account.objects.values_list("name", flat=True)) == {"A GmbH", "C SA"}


def test_r22_another_users_import_is_404(people: dict[str, User]):
    alice = client_of(people["alice"])
    upload(alice)
    record = Import.objects.get()
    pages = ["import_map", "import_preview", "import_detail", "import_state", "import_errors"]
    for name in pages:
        assert client_of(people["bob"]).get(page(name, record)).status_code == 404
        assert client_of(people["charlie"]).get(page(name, record)).status_code == 403
        assert Client().get(page(name, record)).status_code == 302
        assert client_of(people["admin"]).get(page(name, record)).status_code in (200, 204, 302)
    assert client_of(people["bob"]).post(page("import_discard", record)).status_code == 404
    assert "accounts.csv" not in client_of(people["bob"]).get(reverse("accounts:import_list")).content.decode()
    assert upload(client_of(people["charlie"])).status_code == 403
    assert Import.objects.count() == 1


def test_only_admins_import_users(people: dict[str, User]):
    assert upload(client_of(people["alice"]), "username\nx\n", type_="users").status_code == 400
    assert upload(client_of(people["admin"]), "username\nx\n", type_="users").status_code == 302


def test_a_sales_manager_never_touches_what_is_not_visible(people: dict[str, User]):
    """A record outside the team is neither linked to nor changed; its domain is a broken constraint."""
    hidden = Account.objects.create(name="Hidden", domain="hidden.com", city="Before")
    path = Path(uploads.settings.MEDIA_ROOT)
    path.mkdir(parents=True, exist_ok=True)
    file = path / "a.csv"
    file.write_text("name,domain,city\nHidden,hidden.com,After\n")
    result = service.import_file(file, ImportOptions(type="accounts"), user=people["bob"])
    hidden.refresh_from_db()
    assert hidden.city == "Before"
    assert (result.record.rows_created, result.record.rows_invalid) == (0, 1)
    file.write_text("email,account\na@b.org,Hidden\n")
    result = service.import_file(file, ImportOptions(type="contacts"), user=people["bob"])
    assert Contact.objects.get().account is None
    assert result.record.warnings == {"unknown_account": 1}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../x.csv", "x.csv"), ("a\x00b\u202efdp.csv", "abfdp.csv"), ("n" * 300 + ".csv", "n" * 100 + "….csv")],
)
def test_r16_names_are_only_data(name: str, kept: str):
    assert uploads.clean_name(name) == kept


def test_r17_too_large_and_no_room_leave_no_file(people: dict[str, User], settings, monkeypatch):
    alice = client_of(people["alice"])
    settings.UPLOAD_MAX_BYTES = 10
    assert upload(alice).status_code == 413
    settings.UPLOAD_MAX_BYTES = 10_000
    monkeypatch.setattr(uploads, "_SPARE_BYTES", 10**18)
    answer = upload(alice)
    assert answer.status_code == 507
    assert "nearly full" in answer.content.decode()
    assert not Import.objects.exists()
    assert not [p for p in Path(settings.MEDIA_ROOT).rglob("*") if p.is_file()]


def test_a_file_that_cannot_be_read_says_why(people: dict[str, User]):
    alice = client_of(people["alice"])
    upload(alice, "a,b;c\n1,2;3\n4,5;6\n")
    answer = alice.get(page("import_map", Import.objects.get()))
    assert answer.status_code == 400
    assert "comma or semicolon" in answer.content.decode()


def test_a_mapping_is_remembered(people: dict[str, User]):
    alice = client_of(people["alice"])
    for _ in range(2):
        upload(alice)
    first, second = Import.objects.order_by("pk")
    answer = {
        "heading": ["Company", "Employees", "Shoe size"],
        "target": ["legal_name", "", "name"],
        "key": "",
        "nulls": "",
    }
    alice.post(page("import_map", first), answer)
    alice.post(page("import_preview", first))
    run_job(first)
    alice.get(page("import_map", second))
    second.refresh_from_db()
    assert second.options["map"] == {"Company": "legal_name", "Employees": "", "Shoe size": "name"}


def _big(rows: int) -> str:
    return "name,city\n" + "".join(f"N{n},{'x' if n % 7 else chr(0)}\n" for n in range(rows))


@pytest.fixture
def queued(people: dict[str, User], monkeypatch: pytest.MonkeyPatch) -> Import:
    """An import of 50 rows in batches of 10, ready to run; every seventh row is bad."""
    monkeypatch.setattr("accounts.imports.runner.BATCH_ROWS", 10)
    upload(client_of(people["alice"]), _big(50))
    record = Import.objects.get()
    uploads.start_upload(record, people["alice"])
    return record


def test_r18_a_killed_worker_loses_and_doubles_nothing(queued: Import, monkeypatch: pytest.MonkeyPatch):
    """It dies in the fourth batch; the next one goes on after the third and ends as a clean run does."""
    clean_write, calls = service.Runner.write_batch, []

    def dying(self: Any, rows: Any) -> None:
        clean_write(self, rows)
        calls.append(len(rows))
        if len(calls) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(service.Runner, "write_batch", dying)
    queued.refresh_from_db()
    with pytest.raises(KeyboardInterrupt):
        jobs.run(queued.job_id)
    assert Import.objects.get(pk=queued.pk).rows_done == 30
    monkeypatch.setattr(service.Runner, "write_batch", clean_write)
    Job.objects.filter(pk=queued.job_id).update(state=JobState.QUEUED, lease_until=None)
    job = run_job(queued)
    assert job.state == JobState.DONE, job.error
    queued.refresh_from_db()
    bad = len(range(0, 50, 7))
    assert (queued.rows_created, queued.rows_invalid, queued.rows_done) == (50 - bad, bad, 50)
    assert Account.objects.count() == 50 - bad
    assert ImportRow.objects.filter(is_rejected=True).count() == bad


def test_a_resumed_run_goes_on_after_the_last_committed_batch(queued: Import):
    record = Import.objects.get(pk=queued.pk)
    stops = iter([False, False, True])

    def stop() -> None:
        if next(stops):
            raise jobs.JobCancelled

    options = ImportOptions.from_json(record.options)
    with pytest.raises(jobs.JobCancelled):
        service.run_import(record, uploads.upload_path(record), options, check_stop=stop)
    record = Import.objects.get(pk=queued.pk)
    assert record.rows_done == 20
    assert run_job(record).state == JobState.DONE
    record.refresh_from_db()
    assert record.rows_done == 50
    assert Account.objects.count() == record.rows_created
    assert ImportRow.objects.count() == record.rows_invalid


def test_r19_cancel_stops_between_batches(queued: Import):
    job = Job.objects.get(pk=queued.job_id)
    jobs.request_cancel(job)
    record = uploads.follow_job(Import.objects.select_related("job").get(pk=queued.pk))
    assert record.state == "cancelled"
    assert not Account.objects.exists()


def test_r98_the_job_run_twice_changes_nothing(queued: Import):
    first = run_job(queued)
    Job.objects.filter(pk=first.pk).update(state=JobState.QUEUED)
    assert run_job(queued).state == JobState.DONE
    assert Account.objects.count() == Import.objects.get().rows_created


def test_a_refused_file_fails_the_job_with_words(people: dict[str, User]):
    upload(client_of(people["alice"]), "city\nx\n")
    record = Import.objects.get()
    uploads.start_upload(record, people["alice"])
    job = run_job(record)
    assert job.state == JobState.FAILED
    assert "told apart" in job.error
    record.refresh_from_db()
    assert (record.state, record.error) == ("failed", job.error)


def test_discard_deletes_the_file(people: dict[str, User], django_capture_on_commit_callbacks):
    alice = client_of(people["alice"])
    upload(alice)
    record = Import.objects.get()
    path = uploads.upload_path(record)
    assert path.exists()
    with django_capture_on_commit_callbacks(execute=True):
        alice.post(page("import_discard", record))
    assert not path.exists()
    assert not Import.objects.exists()


def test_r20_columns_that_hand_records_over_need_the_right(people: dict[str, User]):
    """An integration imports deals but is not offered their owner; managers are."""
    robot = UserFactory(username="robot", role=Role.INTEGRATION)
    type_ = import_type("opportunities")
    assert "owner" in allowed_targets(type_, people["alice"])
    assert "owner" not in allowed_targets(type_, robot)
    assert "amount" in allowed_targets(type_, robot)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("added_industry", "New in “industry”: added to its list"),
        ("unknown_parent_account", "Not known for “parent account”: left empty"),
        ("duplicate_key", "Same record as an earlier row"),
        ("ragged_row", "Ragged row"),
    ],
)
def test_warnings_speak_in_words(code, words):
    assert warning_words(code) == words
