"""Files on records: kept under a number, served as bytes to save, seen with their record, taken away and back."""

import datetime as dt
import os

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import Attachment
from accounts.services import files
from segmentation_crm.common.models import Role
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path
    return tmp_path / "attachments"


@pytest.fixture
def admin():
    return UserFactory()


def log_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def upload(client, record, name="plan.pdf", content=b"%PDF-1.7 x", content_type="application/pdf"):
    kind = record._meta.model_name
    sent = {"file": SimpleUploadedFile(name, content, content_type)}
    return client.post(reverse(f"accounts:{kind}_files", args=[record.pk]), sent)


@pytest.mark.parametrize("make", [AccountFactory, ContactFactory, OpportunityFactory])
def test_a_file_is_kept_shown_and_sent_back_byte_by_byte(client, admin, folder, make):
    record = make()
    assert upload(log_in(client, admin), record).status_code == 302
    row = Attachment.objects.get()
    assert (row.name, row.size, row.uploaded_by) == ("plan.pdf", 10, admin)
    [stored] = folder.iterdir()
    assert stored.name == row.path != row.name
    assert oct(stored.stat().st_mode & 0o777) == "0o600"
    response = client.get(reverse("accounts:file_download", args=[row.pk]))
    assert b"".join(response.streaming_content) == b"%PDF-1.7 x"
    assert response["Content-Disposition"] == 'attachment; filename="plan.pdf"'
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Type"] == "application/octet-stream"
    assert "sandbox" in response["Content-Security-Policy"]
    page = client.get(reverse(f"accounts:{record._meta.model_name}_detail", args=[record.pk]), {"tab": "files"})
    assert "plan.pdf" in page.content.decode()


def test_a_page_that_is_uploaded_is_never_shown_as_one(client, admin):
    account = AccountFactory()
    upload(log_in(client, admin), account, "x.html", b"<script>alert(1)</script>", "text/html")
    response = client.get(reverse("accounts:file_download", args=[Attachment.objects.get().pk]))
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../x.csv", "x.csv"),
        ("C:\\temp\\offer.docx", "offer.docx"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("a\u202egnp.exe", "agnp.exe"),
        ("a\nb\x00.txt", "ab.txt"),
        ("x" * 300 + ".pdf", "x" * 170 + "….pdf"),
        ("", "file"),
    ],
)
def test_r16_a_name_is_only_data(name, kept):
    assert files.shown_name(name) == kept


def test_r17_too_large_is_413_and_nothing_stays(client, admin, settings, folder):
    settings.ATTACHMENT_MAX_BYTES = 1024
    account = AccountFactory()
    response = upload(log_in(client, admin), account, content=b"x" * 1025)
    assert response.status_code == 413
    assert "larger than" in response.content.decode()
    response = upload(client, account, content=b"x" * 200_000)
    assert response.status_code == 413
    assert not Attachment.objects.exists()
    assert not folder.exists() or not list(folder.iterdir())


def test_r17_a_full_disk_is_507_and_nothing_stays(client, admin, monkeypatch, folder):
    account = AccountFactory()
    monkeypatch.setattr(files, "_SPARE_BYTES", 2**62)
    response = upload(log_in(client, admin), account)
    assert response.status_code == 507
    assert "nearly full" in response.content.decode()
    monkeypatch.setattr(files, "_SPARE_BYTES", 0)

    def broken(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Attachment.objects, "create", broken)
    assert upload(client, account).status_code == 507
    assert not list(folder.iterdir())


def test_nothing_chosen_says_so(client, admin):
    account = AccountFactory()
    response = log_in(client, admin).post(reverse("accounts:account_files", args=[account.pk]), {"file": "text"})
    assert response.status_code == 302
    assert not Attachment.objects.exists()


def test_three_people_and_a_file(client):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    account = AccountFactory(owner=alice)
    kept = files.store_file(account, SimpleUploadedFile("plan.pdf", b"x"), alice)
    url, remove = (reverse(f"accounts:file_{act}", args=[kept.pk]) for act in ("download", "remove"))
    viewer, stranger = UserFactory(role=Role.VIEWER), UserFactory(role=Role.SALES_REP, team=TeamFactory())
    colleague = UserFactory(role=Role.SALES_REP, team=alice.team)
    boss = UserFactory(role=Role.SALES_MANAGER, team=alice.team)
    for user, reads, removes in ((viewer, 200, 403), (stranger, 404, 404), (colleague, 404, 404), (boss, 200, 302)):
        log_in(client, user)
        assert client.get(url).status_code == reads
        assert client.post(remove).status_code == removes
        assert upload(client, account).status_code == (403 if user == viewer else removes)
    assert log_in(client, alice).get(url).status_code == 404


def test_only_who_uploaded_or_a_manager_takes_a_file_away(client):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    account = AccountFactory(owner=alice)
    other = files.store_file(account, SimpleUploadedFile("b.pdf", b"x"), UserFactory())
    assert log_in(client, alice).post(reverse("accounts:file_remove", args=[other.pk])).status_code == 403
    own = files.store_file(account, SimpleUploadedFile("a.pdf", b"x"), alice)
    assert client.post(reverse("accounts:file_remove", args=[own.pk])).status_code == 302
    page = client.get(reverse("accounts:account_detail", args=[account.pk]), {"tab": "files"}).content.decode()
    assert "Bring back" in page
    assert client.get(reverse("accounts:file_download", args=[own.pk])).status_code == 404
    client.post(reverse("accounts:file_restore", args=[own.pk]))
    assert client.get(reverse("accounts:file_download", args=[own.pk])).status_code == 200


def test_after_thirty_days_a_file_goes_for_good_and_so_do_orphans(admin, folder):
    account = AccountFactory()
    old, fresh, kept = (files.store_file(account, SimpleUploadedFile(f"{n}.pdf", b"x"), admin) for n in range(3))
    for row, days in ((old, 31), (fresh, 29)):
        files.take_away(row)
        Attachment.objects.filter(pk=row.pk).update(deleted_at=timezone.now() - dt.timedelta(days=days))
    orphan = folder / "orphan"
    orphan.write_bytes(b"x")
    long_ago = (timezone.now() - dt.timedelta(days=2)).timestamp()
    os.utime(orphan, (long_ago, long_ago))
    os.utime(files.attachment_path(kept), (long_ago, long_ago))
    removed = files.remove_old_files()
    assert removed == 2
    assert set(Attachment.objects.values_list("pk", flat=True)) == {fresh.pk, kept.pk}
    assert {path.name for path in folder.iterdir()} >= {fresh.path, kept.path}
    assert not orphan.exists()
