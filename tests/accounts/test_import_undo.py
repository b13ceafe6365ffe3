"""R19: an import taken back restores only what nobody touched since, and lists the rest."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.imports.options import ImportOptions
from accounts.imports.service import import_file
from accounts.models import Account, Import, RecordChange
from accounts.services.import_undo import changes_of_import, left_by_undo, undo_import
from accounts.services.multi_values import set_multi_values
from segmentation_crm.common.acting import acting_as
from segmentation_crm.common.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db
HEAD = "name,domain,city,employees,tags\n"


@pytest.fixture
def user():
    return make.UserFactory(role=Role.ADMIN)


def run(tmp_path, user, text):
    path = tmp_path / "a.csv"
    path.write_text(HEAD + text)
    return import_file(path, ImportOptions(type="accounts"), user=user).record


def test_what_was_made_is_deleted_and_what_was_changed_returns(tmp_path, user):
    old = make.AccountFactory(name="Old", domain="old.example", city="Ulm", employee_count=5)
    record = run(tmp_path, user, "Old,old.example,Bonn,50,red\nNew,new.example,Köln,7,\n")
    old.refresh_from_db()
    assert (old.city, old.employee_band) == ("Bonn", "11-50")
    tally = undo_import(record, user)
    assert (tally.deleted, tally.restored, tally.left) == (1, 1, 0)
    old.refresh_from_db()
    assert (old.city, old.employee_count, old.employee_band) == ("Ulm", 5, "1-10")
    assert not old.values_multi.exists()
    assert not Account.objects.live().filter(domain="new.example").exists()
    assert not left_by_undo(record).exists()
    # The second run finds nothing to do.
    assert undo_import(record, user).deleted == 0


def test_what_was_touched_since_stays_and_is_listed(tmp_path, user):
    old = make.AccountFactory(name="Old", domain="old.example", city="Ulm", employee_count=5)
    record = run(
        tmp_path, user,
        "Old,old.example,Bonn,50,\nEdited,edited.example,Köln,7,\nUsed,used.example,Köln,7,\nFree,free.example,Köln,7,\n",
    )  # fmt: skip
    with acting_as(user, "page"):
        old.refresh_from_db()
        old.city = "Hamburg"
        old.save()
        edited = Account.objects.get(domain="edited.example")
        set_multi_values(edited, "languages", ["de"])
        used = Account.objects.get(domain="used.example")
        make.NoteFactory(account=used, contact=None, opportunity=None)
    tally = undo_import(record, user)
    assert (tally.deleted, tally.restored, tally.left) == (1, 1, 3)
    old.refresh_from_db()
    assert (old.city, old.employee_count) == ("Hamburg", 5)
    assert set(Account.objects.live().values_list("domain", flat=True)) == {
        "old.example", "edited.example", "used.example",
    }  # fmt: skip
    left = set(left_by_undo(record).values_list("record_id", flat=True))
    assert left == {edited.pk, used.pk}


def test_a_stopped_undo_goes_on_where_it_stood(tmp_path, user, monkeypatch):
    monkeypatch.setattr("accounts.services.import_undo.CHUNK", 2)
    record = run(tmp_path, user, "".join(f"N{n},n{n}.example,Ulm,1,\n" for n in range(5)))

    class Stop(Exception):
        pass

    seen = []

    def stop():
        seen.append(1)
        if len(seen) == 2:
            raise Stop

    with pytest.raises(Stop):
        undo_import(record, user, check_stop=stop)
    assert Account.objects.live().count() == 3
    assert undo_import(record, user).deleted == 3
    assert Account.objects.live().count() == 0


def test_the_undo_is_in_the_log_as_an_act_of_the_person(tmp_path, user):
    record = run(tmp_path, user, "New,new.example,Köln,7,\n")
    undo_import(record, user)
    account = Account.objects.get(domain="new.example")
    rows = RecordChange.objects.filter(record_id=account.pk, record_type="account").order_by("id")
    assert [(row.action, row.actor) for row in rows] == [("created", user), ("deleted", user)]
    assert changes_of_import(record).get().undone_by == rows[1]


def test_who_may_undo_an_import(tmp_path, user):
    record = run(tmp_path, user, "New,new.example,Köln,7,\n")
    url = reverse("accounts:import_undo", args=[record.public_id])
    for person, status in (
        (make.UserFactory(role=Role.VIEWER), 403),
        (make.UserFactory(role=Role.SALES_MANAGER), 404),
        (user, 302),
    ):
        client = Client()
        client.force_login(person)
        assert client.post(url).status_code == status
    page = client.get(reverse("accounts:import_detail", args=[record.public_id])).content.decode()
    assert "Undo" in page
    assert Import.objects.get().state == "done"
