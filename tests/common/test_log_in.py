"""Log-in, sessions, passwords, second factor: what ends what, and what nobody can guess (R70–R74, R77, R78)."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from segmentation_crm.common import sessions
from segmentation_crm.common.models import ApiToken, AuditEntry, Role, User
from segmentation_crm.common.services.tokens import create_token
from segmentation_crm.refusals import check_production
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
NEW = "a-brand-new-long-password"


@pytest.fixture
def alice():
    return UserFactory(username="alice", email="alice@example.com", role=Role.SALES_REP)


def log_in(client: Client, name: str = "alice", password: str = PASSWORD, **extra: str):
    """Send the log-in form."""
    return client.post(reverse("account_login"), {"login": name, "password": password}, **extra)


def is_inside(client: Client) -> bool:
    """Tell whether the client is signed in."""
    return client.get(reverse("profile")).status_code == 200


def token_works(text: str) -> bool:
    """Tell whether the API takes the token."""
    return Client().get("/api/v1/users/me/", headers={"authorization": f"Token {text}"}).status_code == 200


# --- R71: a new password ends everything that the old one opened ---
def by_oneself(alice):
    client = Client()
    assert log_in(client).status_code == 302
    form = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert client.post(reverse("account_change_password"), form).status_code == 302


def by_mail(alice):
    client = Client()
    client.post(reverse("account_reset_password"), {"email": alice.email})
    path = next(line for line in mail.outbox[-1].body.split() if "/reset/key/" in line).split("/", 3)[3]
    form_path = client.get(f"/{path}").url
    answer = client.post(form_path, {"password1": NEW, "password2": NEW})
    assert answer.status_code == 302, answer.content
    # One use only.
    assert Client().get(f"/{path}").status_code == 200
    assert not is_inside(client)


def by_admin(alice):
    client = Client()
    client.force_login(UserFactory())
    path = f"/admin/common/user/{alice.pk}/password/"
    form = {"password1": NEW, "password2": NEW, "usable_password": "true"}
    assert client.post(path, form).status_code == 302


def by_admin_taken_away(alice):
    client = Client()
    client.force_login(UserFactory())
    path = f"/admin/common/user/{alice.pk}/password/"
    form = {"password1": "", "password2": "", "usable_password": "false", "unset-password": "1"}
    assert client.post(path, form).status_code == 302


@pytest.mark.parametrize("change", [by_oneself, by_mail, by_admin, by_admin_taken_away])
def test_r71_a_changed_password_ends_sessions_and_tokens(alice, change):
    elsewhere = Client()
    log_in(elsewhere)
    _, text = create_token(alice, name="Sync", scopes=["read"])
    bob = UserFactory(username="bob")
    _, of_bob = create_token(bob, name="Sync", scopes=["read"])
    assert is_inside(elsewhere)
    assert token_works(text)
    change(alice)
    assert not is_inside(elsewhere)
    assert not token_works(text)
    assert token_works(of_bob)
    assert AuditEntry.objects.get(action="user.password_changed").details == {"tokens_ended": 1}


def test_r71_a_hash_renewed_at_log_in_is_no_new_password(alice, settings):
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.PBKDF2PasswordHasher",
        "django.contrib.auth.hashers.MD5PasswordHasher",
    ]
    User.objects.filter(pk=alice.pk).update(password=make_password(PASSWORD, hasher="md5"))
    _, text = create_token(alice, name="Sync", scopes=["read"])
    assert log_in(Client()).status_code == 302
    assert User.objects.get(pk=alice.pk).password.startswith("pbkdf2")
    assert token_works(text)


def test_r71_sensitive_pages_ask_for_the_password_again(alice):
    client = Client()
    log_in(client)
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time.time() - 3600}]
    session.save()
    for path, form in (
        (reverse("token_create"), {"name": "x", "scopes": ["read"], "days": "30"}),
        (reverse("account_email"), {"action_add": "", "email": "evil@example.com"}),
        (reverse("mfa_activate_totp"), {"code": "123456"}),
    ):
        answer = client.post(path, form)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("account_reauthenticate")), path
    assert not ApiToken.objects.exists()


# --- R72: guessing ---
def test_r72_the_account_is_locked_after_five_wrong_passwords(alice):
    for number in range(5):
        assert log_in(Client(), password="wrong", REMOTE_ADDR=f"10.0.0.{number}").status_code == 200
    client = Client()
    # The right password does not help while the account is locked, from whatever address.
    assert log_in(client, REMOTE_ADDR="10.0.1.1").status_code == 200
    assert not is_inside(client)
    UserFactory(username="bob")
    other = Client()
    assert log_in(other, "bob", REMOTE_ADDR="10.0.1.1").status_code == 302


def test_r72_an_address_is_locked_after_twenty_wrong_passwords(alice):
    for number in range(20):
        log_in(Client(), name=f"user-{number}", password="wrong", REMOTE_ADDR="10.0.0.9")
    client = Client()
    log_in(client, REMOTE_ADDR="10.0.0.9")
    assert not is_inside(client)
    assert log_in(client, REMOTE_ADDR="10.0.0.10").status_code == 302


def test_r60_a_forged_forwarded_address_opens_no_new_account_of_guesses(alice, settings):
    for number in range(20):
        log_in(Client(), name=f"user-{number}", password="wrong", HTTP_X_FORWARDED_FOR=f"1.2.3.{number}")
    client = Client()
    log_in(client, HTTP_X_FORWARDED_FOR="9.9.9.9")
    assert not is_inside(client)


def test_r72_an_unknown_user_is_answered_like_a_known_one(alice, monkeypatch):
    hashed = []
    from django.contrib.auth import hashers

    real = hashers.MD5PasswordHasher.encode
    monkeypatch.setattr(hashers.MD5PasswordHasher, "encode", lambda *a: (hashed.append(1), real(*a))[1])

    def wrong(name):
        hashed.clear()
        text = log_in(Client(), name, "wrong").content.decode().replace(name, "NAME")
        return plain(text), len(hashed)

    known, unknown = wrong("alice"), wrong("nobody")
    assert known == unknown
    known_mail, unknown_mail = wrong("alice@example.com"), wrong("nobody@example.com")
    assert known_mail[0].splitlines() == unknown_mail[0].splitlines()
    assert known_mail[1] == unknown_mail[1]
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert wrong("alice") == known


def plain(text: str) -> str:
    """Return a page without tokens."""
    import re

    return re.sub(r"[A-Za-z0-9]{64}", "", text)


def test_r72_password_reset_tells_nothing_and_is_limited(alice):
    answers = []
    for address in (alice.email, "nobody@example.com"):
        client = Client()
        answer = client.post(reverse("account_reset_password"), {"email": address})
        answers.append((answer.status_code, answer.url, plain(client.get(answer.url).content.decode())))
    assert answers[0] == answers[1]
    for _ in range(3):
        last = Client().post(reverse("account_reset_password"), {"email": alice.email})
    assert last.status_code == 429


def test_r72_a_reset_link_lasts_one_hour(alice, settings):
    assert settings.PASSWORD_RESET_TIMEOUT == 3600
    token = default_token_generator.make_token(alice)
    assert default_token_generator.check_token(alice, token)


# --- R73: sessions ---
def test_r73_log_in_makes_a_new_session_key(alice):
    client = Client()
    client.get(reverse("account_login"))
    session = client.session
    session["planted"] = 1
    session.save()
    before = session.session_key
    client.cookies["sessionid"] = before
    log_in(client)
    assert client.session.session_key != before
    assert not Client(headers={"cookie": f"sessionid={before}"}).session.get("_auth_user_id")


@pytest.mark.parametrize(("name", "age"), [(sessions.SEEN, 8 * 3600 + 1), (sessions.BEGAN, 7 * 24 * 3600 + 1)])
def test_r73_a_session_ends_idle_and_old(alice, name, age):
    client = Client()
    log_in(client)
    for seconds, inside in ((age - 60, True), (age, False)):
        session = client.session
        session[sessions.BEGAN] = session[sessions.SEEN] = int(time.time()) - 10
        session[name] = int(time.time()) - seconds
        if name == sessions.SEEN:
            session[sessions.BEGAN] = session[name]
        session.save()
        assert is_inside(client) is inside
    assert client.get("/api/v1/users/me/").status_code == 401


def test_r73_pages_behind_the_log_in_are_kept_by_no_cache(alice):
    client = Client()
    log_in(client)
    for path in ("/", "/accounts/", "/segments/", "/profile/", "/jobs/", "/api/v1/accounts/", "/search/?q=a"):
        assert "no-store" in client.get(path)["Cache-Control"], path
    client.post(reverse("account_logout"))
    assert not is_inside(client)


# --- R74: second factor ---
def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_r74_a_code_counts_once_and_guesses_are_limited(alice):
    secret = generate_totp_secret()
    TOTP.activate(alice, secret)
    first, second = Client(), Client()
    answer = log_in(first)
    assert answer.url == reverse("mfa_authenticate")
    assert not is_inside(first)
    code = code_of(secret)
    assert first.post(answer.url, {"code": code}).status_code == 302
    assert is_inside(first)
    log_in(second)
    second.post(reverse("mfa_authenticate"), {"code": code})
    assert not is_inside(second)
    for _ in range(5):
        second.post(reverse("mfa_authenticate"), {"code": "000000"})
    later = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    from django.core.cache import cache

    cache.delete(f"mfa.totp.used?user={alice.pk}&code={later}")
    second.post(reverse("mfa_authenticate"), {"code": later})
    assert not is_inside(second)


def test_r74_a_password_reset_does_not_go_round_the_second_factor(alice):
    TOTP.activate(alice, generate_totp_secret())
    by_mail(alice)
    client = Client()
    assert log_in(client, password=NEW).url == reverse("mfa_authenticate")
    assert not is_inside(client)


# --- R70: roles ---
def test_r70_roles_change_by_another_admin_only_and_one_admin_stays(alice):
    admin, client = UserFactory(username="root"), Client()
    client.force_login(admin)
    form = {"username": "root", "email": "root@our-company.example", "role": "viewer"}
    assert client.post(reverse("user_edit", args=[admin.pk]), form).status_code == 200
    assert User.objects.get(pk=admin.pk).role == Role.ADMIN
    second = UserFactory(username="second")
    form = {"username": "second", "email": second.email, "role": "viewer"}
    assert client.post(reverse("user_edit", args=[second.pk]), form).status_code == 302
    second.refresh_from_db()
    assert (second.role, second.is_staff, second.is_superuser) == (Role.VIEWER, False, False)
    entry = AuditEntry.objects.get(action="user.changed")
    assert entry.details["role"] == "viewer"
    for role in (Role.MARKETING_MANAGER, Role.SALES_MANAGER):
        manager = Client()
        manager.force_login(UserFactory(role=role))
        form = {"username": "alice", "email": alice.email, "role": "admin"}
        assert manager.post(reverse("user_edit", args=[alice.pk]), form).status_code == 403
        assert manager.patch("/api/v1/users/{alice.pk}/", {"role": "admin"}).status_code in (403, 404, 405)
    alice.refresh_from_db()
    assert alice.role == Role.SALES_REP


# --- R77: what the product refuses to start with ---
GOOD = "Zq3vR-k9TxW_b7LmNc4PdYf2HsJ6gA8uEoQi1XzVrBtK5nMw0aSC"


@pytest.mark.parametrize(
    ("keys", "hosts"),
    [
        (["short"], ["crm.example.com"]),
        (["a" * 64], ["crm.example.com"]),
        (["django-insecure-" + GOOD], ["crm.example.com"]),
        ([GOOD, "old"], ["crm.example.com"]),
        ([GOOD], ["*"]),
        ([GOOD], ["crm.example.com", "*"]),
    ],
)
def test_r77_unsafe_settings_are_refused_unless_debugging(keys, hosts):
    with pytest.raises(ImproperlyConfigured):
        check_production(debug=False, secret_keys=keys, hosts=hosts)
    check_production(debug=True, secret_keys=keys, hosts=hosts)
    check_production(debug=False, secret_keys=[GOOD], hosts=["crm.example.com"])


# --- R78: the audit log ---
def test_r78_refusals_are_noted_once_a_minute_on_one_line(alice):
    client = Client()
    client.force_login(alice)
    for _ in range(3):
        assert client.get("/settings/users/").status_code == 403
        assert client.post("/api/v1/segments/", {}, content_type="application/json").status_code == 403
    entries = AuditEntry.objects.filter(action="access.denied").order_by("id")
    assert [entry.details for entry in entries] == [
        {"method": "GET", "path": "/settings/users/"},
        {"method": "POST", "path": "/api/v1/segments/"},
    ]
    assert {entry.actor for entry in entries} == {alice}


def test_r78_line_breaks_in_names_make_no_second_entry(alice):
    User.objects.filter(pk=alice.pk).update(first_name="Alice\r\n2026 root user.deactivated")
    alice.refresh_from_db()
    from segmentation_crm.common.services import audit

    entry = audit.record(alice, "segment.exported", alice)
    assert "\n" not in entry.actor_name + entry.object_name
    with pytest.raises(TypeError):
        entry.save()


@pytest.mark.parametrize("name", ["alice", "ALICE", "alice@example.com", "Alice@Example.com"])
def test_log_in_takes_username_or_e_mail(alice, name):
    client = Client()
    assert log_in(client, name).status_code == 302
    assert is_inside(client)
