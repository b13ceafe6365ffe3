"""The first page, the menu and the search box."""

import datetime as dt

import pytest
from django.urls import reverse
from django.utils import timezone

from segmentation_crm.common.models import Role
from tests.factories import PASSWORD, AccountFactory, ContactFactory, OpportunityFactory, TeamFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return UserFactory(username="alice", role=Role.SALES_REP, team=TeamFactory())


def page(client, user, path="/", status=200):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    response = client.get(path)
    assert response.status_code == status
    return response.content.decode()


def test_home_asks_to_log_in(client):
    assert client.get("/").url == f"{reverse('account_login')}?next=/"


def test_an_empty_home_says_what_to_do_first(client):
    text = page(client, UserFactory())
    assert "First steps" in text
    assert reverse("accounts:import_new") in text


def test_home_shows_a_rep_only_what_is_theirs(client, alice):
    soon = timezone.localdate() + dt.timedelta(days=3)
    OpportunityFactory(name="Ours", account=AccountFactory(name="Seen", owner=alice), expected_close=soon)
    OpportunityFactory(name="Theirs", account=AccountFactory(name="Hidden"), expected_close=soon)
    text = page(client, alice)
    assert "My day" in text
    assert "Ours" in text
    assert "Theirs" not in text
    assert "Hidden" not in text
    assert "First steps" not in text


def test_home_takes_no_more_queries_with_more_records(client, django_assert_max_num_queries):
    admin = UserFactory()
    for _ in range(8):
        OpportunityFactory(expected_close=timezone.localdate(), account=AccountFactory(owner=admin))
    page(client, admin)
    with django_assert_max_num_queries(20):
        client.get("/")


@pytest.mark.parametrize(
    ("role", "there", "not_there"),
    [
        (Role.ADMIN, ["Imports", "Jobs", "Admin", "Settings", "API docs"], []),
        (Role.SALES_REP, ["Accounts", "Segments"], ["Imports", "Jobs", "Admin", "Settings", "API docs"]),
        (Role.VIEWER, ["Accounts", "Activities"], ["Imports", "Admin", "Settings"]),
    ],
)
def test_the_menu_shows_what_a_role_needs(client, role, there, not_there):
    text = page(client, UserFactory(role=role))
    for label in there:
        assert f'<span class="label">{label}</span>' in text
    for label in not_there:
        assert f'<span class="label">{label}</span>' not in text


def test_the_menu_marks_the_page_one_is_on(client):
    text = page(client, UserFactory(), reverse("accounts:contact_list"))
    menu = text[text.index("nav-list") : text.index("side-foot")]
    assert menu.count('aria-current="page"') == 1


def test_search_finds_by_name_domain_and_address(client):
    admin = UserFactory()
    AccountFactory(name="Kessler Werke", domain="kessler.example")
    ContactFactory(first_name="Łucja", last_name="Nowak", email="lucja@kessler.example", account=None)
    OpportunityFactory(name="Kessler rollout", account=None)
    text = page(client, admin, "/search/?q=KESSLER")
    for words in ("Kessler Werke", "Łucja Nowak", "Kessler rollout"):
        assert words in text


def test_search_keeps_to_what_one_may_see(client, alice):
    AccountFactory(name="Kessler Werke")
    assert "Kessler Werke" not in page(client, alice, "/search/?q=kessler")


@pytest.mark.parametrize("text", ["", "a", "%00", "%", "%25", "_", "x" * 500])
def test_search_takes_any_text(client, text):
    AccountFactory(name="Plain")
    written = page(client, UserFactory(), f"/search/?q={text}")
    assert "Plain" not in written


def test_an_address_that_leads_nowhere_says_so(client):
    assert "This page is not here" in page(client, UserFactory(), "/nowhere/", 404)


def test_a_second_factor_can_be_set_up_without_a_mail_server(client):
    user = UserFactory()
    page(client, user)
    # Who logged in long ago says the password once more.
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    response = client.get(reverse("mfa_activate_totp"))
    assert response.status_code == 200
    assert "Authenticator secret" in response.content.decode()


@pytest.mark.parametrize("name", ["account_login", "account_reset_password", "account_signup"])
def test_pages_of_logging_in_wear_the_look(client, name):
    text = client.get(reverse(name)).content.decode()
    assert 'class="entrance-box"' in text
    assert "css/tokens.css" in text


@pytest.mark.parametrize("name", ["account_change_password", "account_email", "mfa_index", "account_logout"])
def test_pages_of_ones_own_account_wear_the_look(client, name):
    text = page(client, UserFactory(), reverse(name))
    assert 'class="account-page"' in text
