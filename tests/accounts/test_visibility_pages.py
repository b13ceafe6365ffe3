"""What a rep's pages and files may not tell of others' records: search, pickers, home, imports, audit (R20, R22, R65).

Alice is a rep with a contact and a deal at charlie's account; bob manages her team.
"""

import pytest
from django.urls import reverse

from accounts.imports.options import ImportOptions
from accounts.imports.service import import_file
from accounts.models import Account, Purchase
from segmentation_crm.common.models import Role
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, PurchaseFactory, UserFactory
from tests.segments.making import three_people

pytestmark = pytest.mark.django_db
SECRET = "Verborgen"


@pytest.fixture
def people():
    return three_people()


@pytest.fixture
def hidden(people):
    """Charlie's account with a contact and a deal of alice's."""
    alice, _, charlie = people
    parent = AccountFactory(name=f"{SECRET} Gruppe", owner=charlie)
    account = AccountFactory(name=f"{SECRET} Holding", domain="verborgen.example", owner=charlie, parent_account=parent)
    ContactFactory(account=account, owner=alice, first_name="Anna", last_name="Own")
    OpportunityFactory(account=account, owner=alice, name="Own deal")
    OpportunityFactory(account=account, owner=charlie, name="Foreign deal")
    AccountFactory(name="Child of alice", owner=alice, parent_account=account)
    return account


def test_no_page_of_a_rep_names_what_others_own(client, people, hidden):
    alice, bob, charlie = people
    contact, deal = hidden.contacts.get(), hidden.opportunities.get(name="Own deal")
    child = Account.objects.get(name="Child of alice")
    paths = [
        "/",
        "/accounts/",
        "/contacts/",
        "/opportunities/",
        "/activities/",
        "/search/?q=own",
        "/jobs/",
        "/segments/",
    ]
    paths += [
        reverse("accounts:contact_detail", args=[contact.pk]),
        reverse("accounts:contact_edit", args=[contact.pk]),
    ]
    paths += [reverse("accounts:opportunity_detail", args=[deal.pk])]
    paths += [reverse("accounts:opportunity_edit", args=[deal.pk])]
    paths += [reverse("accounts:account_detail", args=[child.pk]), reverse("accounts:account_edit", args=[child.pk])]
    paths += [f"{reverse('accounts:contact_detail', args=[contact.pk])}?tab=accounts"]
    paths += [f"{reverse('accounts:contact_new')}?account={hidden.pk}"]
    for viewer in (alice, bob):
        client.force_login(viewer)
        for path in paths:
            text = client.get(path).content.decode()
            assert SECRET not in text, (viewer.username, path)
            assert "Foreign deal" not in text, (viewer.username, path)
    client.force_login(charlie)
    assert SECRET in client.get("/accounts/").content.decode()


def test_search_and_pickers_find_only_ones_own(client, people, hidden):
    alice, bob, charlie = people
    for viewer, sees in ((alice, False), (bob, False), (charlie, True)):
        client.force_login(viewer)
        found = client.get(reverse("accounts:options", args=["account"]), {"q": "verborgen"}).json()["results"]
        assert bool(found) is sees
        text = client.get(reverse("search"), {"q": "verborgen"}).content.decode()
        assert (f"{SECRET} Holding" in text) is sees
        text = client.get(reverse("accounts:account_list"), {"search": "verborgen"}).content.decode()
        assert (f"{SECRET} Holding" in text) is sees


def test_the_form_keeps_an_account_its_editor_may_not_see(client, people, hidden):
    """Saving a contact whose account is hidden neither shows the account nor takes it away."""
    alice = people[0]
    contact = hidden.contacts.get()
    client.force_login(alice)
    url = reverse("accounts:contact_edit", args=[contact.pk])
    form = client.get(url).context["form"]
    data = {name: form[name].value() for name in form.fields if form[name].value() not in (None, "")}
    answer = client.post(url, {**data, "account": "", "first_name": "Annette", "version": contact.version})
    contact.refresh_from_db()
    assert answer.status_code == 302
    assert (contact.first_name, contact.account_id) == ("Annette", hidden.pk)
    other = client.post(url, {**data, "account": AccountFactory(owner=people[2]).pk, "version": contact.version})
    assert other.status_code == 200
    assert "not visible to you" in other.content.decode()


def file_of(tmp_path, text):
    path = tmp_path / "file.csv"
    path.write_text(text)
    return path


def test_r55_an_import_neither_finds_nor_changes_others_records(people, hidden, tmp_path):
    bob = people[1]
    path = file_of(tmp_path, "name,domain,city\nTaken over,verborgen.example,Wien\n")
    before = Account.objects.values().get(pk=hidden.pk)
    result = import_file(path, ImportOptions(type="accounts", source="import"), user=bob)
    assert Account.objects.values().get(pk=hidden.pk) == before
    assert result.as_json()["updated"] == 0
    assert SECRET not in str([row.findings for row in result.record.rows.all()])


def test_r55_rows_that_follow_a_hidden_record_are_not_changed_by_their_external_id(people, hidden, tmp_path):
    bob, charlie = people[1], people[2]
    text = "external_id,account,quantity\nP-1,verborgen.example,{}\n"
    options = ImportOptions(type="purchases", source="import")
    first = import_file(file_of(tmp_path, text.format(3)), options, user=UserFactory(role=Role.MARKETING_MANAGER))
    assert first.as_json()["created"] == 1
    PurchaseFactory(account=AccountFactory(owner=charlie))
    before = list(Purchase.objects.order_by("pk").values())
    import_file(file_of(tmp_path, text.format(99)), options, user=bob)
    assert list(Purchase.objects.filter(pk__in=[row["id"] for row in before]).order_by("pk").values()) == before
