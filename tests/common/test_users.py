"""Tokens and deactivation: sessions and tokens end at once, open work is handed over."""

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from segmentation_crm.common.models import ApiToken, AuditEntry, Role, User
from segmentation_crm.common.services.tokens import create_token, revoke_token
from segmentation_crm.common.services.users import deactivate_user, holdings

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"


@pytest.fixture
def admin():
    return User.objects.create_user("root", "root@example.com", PASSWORD, role=Role.ADMIN)


@pytest.fixture
def alice():
    return User.objects.create_user("alice", "alice@example.com", PASSWORD, role=Role.SALES_REP, first_name="Alice")


@pytest.fixture
def bob():
    return User.objects.create_user("bob", "bob@example.com", PASSWORD, role=Role.SALES_REP)


def logged_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_a_token_is_stored_as_a_hash_and_audited(alice):
    token, text = create_token(alice, name="Sync", scopes=["read"], days=30)
    assert text not in (token.digest, token.token_key)
    assert token.expiry is not None
    entry = AuditEntry.objects.get(action="token.created")
    assert entry.details == {"name": "Sync", "scopes": ["read"], "days": 30}
    assert text not in str(entry.details)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "  "}, "name"),
        ({"name": "x" * 81}, "name"),
        ({"scopes": ["admin"]}, "scopes"),
        ({"scopes": []}, "scopes"),
        ({"days": 0}, "days"),
        ({"days": 99999}, "days"),
    ],
)
def test_a_bad_token_names_the_field(alice, changes, field):
    with pytest.raises(ValidationError) as raised:
        create_token(alice, **{"name": "Sync", "scopes": ["read"], "days": 30} | changes)
    assert list(raised.value.message_dict) == [field]
    assert not ApiToken.objects.exists()


def test_revoking_ends_the_token(alice):
    token, text = create_token(alice, name="Sync", scopes=["read"])
    headers = {"authorization": f"Token {text}"}
    assert Client().get("/api/v1/accounts/", headers=headers).status_code == 200
    revoke_token(token, alice)
    assert Client().get("/api/v1/accounts/", headers=headers).status_code == 401


def test_deactivation_ends_sessions_and_tokens_at_once(admin, alice, bob):
    client = logged_in(alice)
    _, text = create_token(alice, name="Sync", scopes=["read"])
    assert client.get(reverse("profile")).status_code == 200
    deactivate_user(alice, successor=bob, actor=admin)
    alice.refresh_from_db()
    assert not alice.is_active
    assert client.get(reverse("profile")).status_code == 302
    response = Client().get("/api/v1/accounts/", headers={"authorization": f"Token {text}"})
    assert response.status_code == 401
    assert AuditEntry.objects.filter(action="user.deactivated", object_id=str(alice.pk)).exists()


def test_deactivation_needs_a_successor_while_something_is_open(admin, alice, bob):
    from tests.factories import AccountFactory

    AccountFactory(owner=alice)
    with pytest.raises(ValidationError) as raised:
        deactivate_user(alice, successor=None, actor=admin)
    assert list(raised.value.message_dict) == ["successor"]
    alice.refresh_from_db()
    assert alice.is_active
    deactivate_user(alice, successor=bob, actor=admin)
    assert all(h.count == 0 for h in holdings(alice))
    assert any(h.count == 1 for h in holdings(bob))


def test_closed_deals_keep_their_owner_and_open_ones_move(admin, alice, bob):
    from tests.factories import OpportunityFactory, StageFactory

    won = OpportunityFactory(owner=alice, stage=StageFactory(name="Signed", is_won=True))
    open_deal = OpportunityFactory(owner=alice, stage=StageFactory(name="Talking"))
    deactivate_user(alice, successor=bob, actor=admin)
    won.refresh_from_db()
    open_deal.refresh_from_db()
    assert won.owner == alice
    assert open_deal.owner == bob


@pytest.mark.parametrize("who", ["self", "last_admin"])
def test_nobody_locks_everybody_out(admin, alice, who):
    actor = admin if who == "self" else alice
    with pytest.raises(ValidationError) as raised:
        deactivate_user(admin, successor=alice, actor=actor)
    assert list(raised.value.message_dict) == ["user"]


def test_user_pages_are_for_admins(admin, alice):
    for name, args in (("user_list", []), ("user_new", []), ("user_edit", [alice.pk]), ("user_deactivate", [alice.pk])):
        url = reverse(name, args=args)
        assert logged_in(admin).get(url).status_code == 200
        assert logged_in(alice).get(url).status_code == 403
        assert Client().get(url).status_code == 302


def test_user_deactivate_page_hands_over(admin, alice, bob):
    from tests.factories import AccountFactory

    account = AccountFactory(owner=alice)
    client = logged_in(admin)
    page = client.post(reverse("user_deactivate", args=[alice.pk]), {"successor": ""})
    assert "Choose who takes over 1" in page.content.decode()
    response = client.post(reverse("user_deactivate", args=[alice.pk]), {"successor": bob.pk})
    assert response.status_code == 302
    account.refresh_from_db()
    assert account.owner == bob


def test_user_edit_keeps_the_last_admin_and_ones_own_role(admin):
    data = {"username": "root", "role": Role.VIEWER, "email": "root@example.com"}
    page = logged_in(admin).post(reverse("user_edit", args=[admin.pk]), data)
    assert "You cannot change your own role" in page.content.decode()
    admin.refresh_from_db()
    assert admin.role == Role.ADMIN


def test_profile_lists_only_ones_own_tokens(alice, bob):
    token, _ = create_token(alice, name="Of Alice", scopes=["read"])
    assert "Of Alice" in logged_in(alice).get(reverse("profile")).content.decode()
    assert "Of Alice" not in logged_in(bob).get(reverse("profile")).content.decode()
    response = logged_in(bob).post(reverse("token_revoke", args=[token.token_key]))
    assert response.status_code == 404
    assert ApiToken.objects.filter(pk=token.pk).exists()


def test_token_create_asks_for_the_password_again(alice):
    client = logged_in(alice)
    response = client.get(reverse("token_create"))
    assert response.status_code == 302
    assert "reauthenticate" in response.url
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    page = client.post(reverse("token_create"), {"name": "Sync", "scopes": ["read"], "days": "90"})
    token = ApiToken.objects.get(user=alice)
    assert token.name == "Sync"
    assert token.token_key in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_log_in_locks_after_five_wrong_passwords(alice):
    client = Client()
    for _ in range(6):
        page = client.post(reverse("account_login"), {"login": "alice", "password": "wrong-password-1"})
    page = client.post(reverse("account_login"), {"login": "alice", "password": PASSWORD})
    assert page.status_code in (200, 429)
    assert "_auth_user_id" not in client.session


def test_the_admin_has_no_log_in_of_its_own(admin):
    response = Client().get("/admin/login/")
    assert response.status_code == 302
    assert reverse("account_login") in response.url


def test_nobody_signs_up(client):
    page = client.post(
        reverse("account_signup"),
        {"username": "eve", "email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert not User.objects.filter(username="eve").exists()
    assert page.status_code == 200
