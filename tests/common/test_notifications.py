"""Notifications: told once, sent once at most, read by nobody else; e-mails over real SMTP."""

import smtplib

import pytest
from django.test import Client
from django.utils import timezone

from segmentation_crm.common.models import EmailState, Job, Notification
from segmentation_crm.common.services import mailing
from segmentation_crm.common.services.notifications import notify
from segmentation_crm.common.services.preferences import is_on, prefer
from tests.factories import NotificationFactory, UserFactory
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return UserFactory(username="mira", email="mira@our-company.example")


@pytest.fixture
def browser(user):
    client = Client()
    client.force_login(user)
    return client


def test_the_same_key_tells_once(user):
    first = notify(user, "task", "k", "Once", email=True)
    assert notify(user, "task", "k", "Twice", email=True) == first
    assert Notification.objects.get().title == "Once"
    assert Job.objects.count() == 1


@pytest.mark.parametrize("url", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_notification_leads_only_into_this_site(user, url):
    with pytest.raises(ValueError, match="slash"):
        notify(user, "task", "k", "Title", url=url)


def test_nobody_without_an_address_gets_an_e_mail():
    told = notify(UserFactory(email=""), "task", "k", "Title", email=True)
    assert told.email_state == ""
    assert not Job.objects.exists()


def test_an_e_mail_is_plain_text_and_html_in_which_users_words_are_only_text(user, mail_server):
    notify(
        user, "mention", "k", "Line one\r\nBcc: all@our-company.example", text="<script>alert(1)</script> & more",
        url="/accounts/7/", email=True,
    )  # fmt: skip
    assert mailing.send_waiting()["sent"] == 1
    ((recipients, message),) = mail_server.messages
    assert recipients == ["mira@our-company.example"]
    assert message["Subject"] == "Line one Bcc: all@our-company.example"
    assert message["Bcc"] is None
    plain, html = (part.get_payload(decode=True).decode() for part in message.get_payload())
    assert "<script>alert(1)</script> & more" in plain
    assert "/accounts/7/" in plain
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in html
    assert "<script" not in html
    sent = Notification.objects.get()
    assert (sent.email_state, sent.emailed_at is not None) == (EmailState.SENT, True)
    assert mailing.send_waiting()["sent"] == 0
    assert len(mail_server.messages) == 1


def test_a_refused_address_is_said_and_the_others_go_out(user, mail_server):
    wrong = UserFactory(email="gone@our-company.example")
    mail_server.refused.add(wrong.email)
    notify(wrong, "task", "k", "To nobody", email=True)
    notify(user, "task", "k", "To Mira", email=True)
    figures = mailing.send_waiting()
    assert (figures["sent"], figures["refused"]) == (1, 1)
    assert wrong.notifications.get().email_state == EmailState.REFUSED
    assert "refused" in wrong.notifications.get().email_error


def test_a_connection_that_breaks_off_leaves_a_visible_unknown_and_no_second_e_mail(user, mail_server, browser):
    mail_server.hangs_up = 1
    notify(user, "task", "a", "Perhaps", email=True)
    notify(user, "task", "b", "Surely", email=True)
    figures = mailing.send_waiting()
    assert (figures["unknown"], figures["sent"]) == (1, 1)
    assert mailing.send_waiting()["sent"] == 0
    assert set(mail_server.by_id().values()) == {1}
    assert "may or may not have reached you" in browser.get("/notifications/").content.decode()


def test_a_mail_server_that_is_down_costs_time_only(user, settings, mail_server):
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 1
    notify(user, "task", "k", "Later", email=True)
    assert "could not be reached" in mailing.send_waiting()["error"]
    assert Notification.objects.get().email_state == EmailState.WANTED
    settings.EMAIL_PORT = port
    assert mailing.send_waiting()["sent"] == 1


def test_what_a_dead_worker_was_sending_becomes_unknown(user, mail_server):
    NotificationFactory(user=user, email_state=EmailState.SENDING, emailed_at=timezone.now())
    assert mailing.send_waiting()["unknown"] == 1
    assert Notification.objects.get().email_state == EmailState.UNKNOWN
    assert not mail_server.messages


def test_who_left_meanwhile_gets_nothing(user, mail_server):
    notify(user, "task", "k", "Title", email=True)
    user.is_active = False
    user.save()
    assert mailing.send_waiting()["refused"] == 1
    assert not mail_server.messages


def test_the_claim_is_committed_before_the_mail_server_hears_of_it(user, monkeypatch, settings):
    states = []

    class Spy:
        def open(self):
            return True

        def close(self):
            return None

        def send_messages(self, messages):
            states.append(Notification.objects.get().email_state)
            raise smtplib.SMTPServerDisconnected("gone")

    monkeypatch.setattr(mailing, "get_connection", lambda **_: Spy())
    notify(user, "task", "k", "Title", email=True)
    mailing.send_waiting()
    assert states == [EmailState.SENDING]


@pytest.mark.parametrize(("unread", "shown"), [(0, ""), (3, "3"), (99, "99"), (120, "99+")])
def test_the_bell_counts_what_is_unread_in_one_query(browser, user, unread, shown, django_assert_max_num_queries):
    NotificationFactory.create_batch(unread, user=user)
    NotificationFactory(user=user, read_at=timezone.now())
    NotificationFactory(user=UserFactory())
    with django_assert_max_num_queries(3):  # session, user, count
        text = browser.get("/notifications/count/").content.decode()
    assert (f">{shown}</span>" in text) is bool(shown)
    assert ("unread" in text) is bool(shown)


def test_the_list_reads_marks_and_opens(browser, user, django_assert_max_num_queries):
    old, new = NotificationFactory(user=user, url="/my-day/"), NotificationFactory(user=user)
    with django_assert_max_num_queries(11):
        assert new.title in browser.get("/notifications/").content.decode()
    assert browser.post(f"/notifications/{old.pk}/open/").url == "/my-day/"
    assert old.title not in browser.get("/notifications/?show=unread").content.decode()
    browser.post("/notifications/mark/", {"pk": old.pk, "as": "unread"})
    assert Notification.objects.filter(read_at=None).count() == 2
    browser.post("/notifications/mark/")
    assert not Notification.objects.filter(read_at=None).exists()


def test_three_people_and_a_notification(browser, user):
    other = NotificationFactory(user=UserFactory(), title="Somebody else's")
    assert other.title not in browser.get("/notifications/").content.decode()
    assert browser.post(f"/notifications/{other.pk}/open/").status_code == 404
    browser.post("/notifications/mark/", {"pk": other.pk})
    browser.post("/notifications/mark/")
    other.refresh_from_db()
    assert other.read_at is None
    client = caller(user)
    assert client.get("/api/v1/notifications/").json()["results"] == []
    assert client.get(f"/api/v1/notifications/{other.pk}/").status_code == 404
    assert client.patch(f"/api/v1/notifications/{other.pk}/", {"read": True}, format="json").status_code == 404


def test_the_api_marks_ones_own_as_read(user):
    mine = NotificationFactory(user=user)
    client = caller(user)
    shown = client.patch(f"/api/v1/notifications/{mine.pk}/", {"read": True}, format="json")
    assert (shown.status_code, shown.json()["read"]) == (200, True)
    assert client.patch(f"/api/v1/notifications/{mine.pk}/", {"title": "x"}, format="json").status_code == 400
    assert len(client.get("/api/v1/notifications/?unread=true").json()["results"]) == 0


def test_what_one_hears_of_is_ones_choice(browser, user):
    assert (is_on(user, "email.reminders"), is_on(user, "email.digest")) == (True, False)
    browser.post("/notifications/preferences/", {"digest": "on", "time_zone": "Europe/Berlin"})
    assert (is_on(user, "email.reminders"), is_on(user, "email.digest")) == (False, True)
    assert "Europe/Berlin" in browser.get("/profile/").content.decode()
    browser.post("/notifications/preferences/", {"time_zone": "Mars/Olympus"}, follow=True)
    assert is_on(user, "email.digest")


def test_a_choice_of_the_wrong_shape_counts_as_none(user):
    prefer(user, "email.reminders", {"on": False})
    user.preferences.update(value=["no", "dict"])
    assert is_on(user, "email.reminders")
