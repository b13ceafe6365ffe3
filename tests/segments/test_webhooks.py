"""Webhooks: what is told, how it is signed, retried, logged and switched off; their pages."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from pyroaring import BitMap

from segmentation_crm.common.jobs import run as run_job
from segmentation_crm.common.models import AuditEntry, Job, JobState, Notification, Role
from segments.choices import RunCause
from segments.models import SegmentRun, Webhook, WebhookDelivery
from segments.services.rebuilding import rebuild_segment
from segments.webhooks import changing, events, sending
from segments.webhooks.secrets import new_secret, opened, sealed, signature
from tests.factories import AccountFactory, UserFactory
from tests.support.receiver import receiving

from .making import built, larger_than, saved, three_people

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def admin(client):
    user = UserFactory(username="boss", role=Role.ADMIN)
    client.force_login(user)
    return user


@pytest.fixture
def server(settings):
    settings.OUTBOUND_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiving() as receiver:
        yield receiver


def hook(user, url="https://example.com/hook", **values):
    values = {"name": "Data team", "events": ["segment.entered", "segment.left"], **values}
    return changing.create_webhook(user, url=url, **values)


def work():
    """Run the job that sends, as a worker would."""
    job = Job.objects.filter(kind=events.DELIVER, state=JobState.QUEUED).latest("pk")
    Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    return run_job(job.pk)


def make_due():
    WebhookDelivery.objects.filter(state="waiting").update(next_at=timezone.now())


# --- what is told ---
def test_who_enters_and_leaves_is_told(admin, server):
    hook(admin, server.url)
    account = AccountFactory(employee_count=100)
    segment = built(larger_than(50), "Large", user=admin)
    assert work() == JobState.DONE
    message = server.seen[0]
    body = json.loads(message.body)
    assert body["type"] == "segment.entered"
    assert body["data"]["segment"]["slug"] == "large"
    assert (body["data"]["members"], body["data"]["count"]) == ([account.pk], 1)
    assert body["data"]["run"] == SegmentRun.objects.get(segment=segment).pk
    assert set(body) == {"type", "timestamp", "data"}
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.status, delivery.attempts) == ("delivered", 200, 1)
    account.employee_count = 3
    account.save()
    rebuild_segment(segment.pk)
    work()
    body = json.loads(server.seen[1].body)
    assert (body["type"], body["data"]["members"]) == ("segment.left", [account.pk])


def test_messages_are_signed_as_standard_webhooks_says(admin, server):
    webhook, secret = hook(admin, server.url)
    events.send_test(webhook)
    work()
    sent = server.seen[0]
    identity, moment = sent.headers["webhook-id"], sent.headers["webhook-timestamp"]
    assert identity.startswith("msg_")
    assert abs(int(moment) - timezone.now().timestamp()) < 60
    # By the book, without our own function.
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = f"{identity}.{moment}.{sent.body.decode()}".encode()
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == expected


def test_signature_is_that_of_the_specification():
    # The example of the Standard Webhooks reference libraries.
    secret, identity, moment = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
    assert signature(secret, identity, moment, b'{"test": 2432232314}') == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_only_what_is_asked_for_is_told(admin):
    AccountFactory(employee_count=100)
    large, small = saved(larger_than(50), "Large", admin), saved(larger_than(1), "Small", admin)
    one, _ = hook(admin, segments=[large])
    hook(admin, events=["segment.left"])
    off, _ = hook(admin)
    changing.switch_webhook(admin, off, on=False)
    rebuild_segment(large.pk)
    rebuild_segment(small.pk)
    assert list(WebhookDelivery.objects.values_list("webhook", "segment")) == [(one.pk, large.pk)]
    # A chosen segment that goes does not make it "every segment".
    one.segments.clear()
    large.memberships.all().delete()
    rebuild_segment(large.pk)
    assert WebhookDelivery.objects.count() == 1


def test_thousands_come_in_batches(admin, monkeypatch):
    monkeypatch.setattr(events, "BATCH", 2)
    hook(admin)
    for _ in range(5):
        AccountFactory(employee_count=100)
    built(larger_than(50), user=admin)
    found = [json.loads(body)["data"] for body in WebhookDelivery.objects.order_by("pk").values_list("body", flat=True)]
    assert [(one["batch"], one["batches"], len(one["members"]), one["count"]) for one in found] == [
        (1, 3, 2, 5), (2, 3, 2, 5), (3, 3, 1, 5),
    ]  # fmt: skip


def test_a_run_taken_back_tells_nothing(admin):
    hook(admin)
    segment = saved(larger_than(50), user=admin)
    now = timezone.now()
    with transaction.atomic():
        run = SegmentRun.objects.create(
            segment=segment, version=1, cause=RunCause.DATA, started_at=now, finished_at=now,
            as_of=now, entered=BitMap([1]).serialize(), entered_count=1,
        )  # fmt: skip
        events.tell_webhooks(segment.pk, [run.pk])
        assert WebhookDelivery.objects.count() == 1
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()
    assert not Job.objects.filter(kind=events.DELIVER).exists()


# --- failures ---
def test_failures_are_tried_again_with_growing_pauses_then_given_up(admin, server):
    server.status = 500
    webhook, _ = hook(admin, server.url)
    events.send_test(webhook)
    waits = []
    for _ in sending.PAUSES:
        make_due()
        work()
        delivery = WebhookDelivery.objects.get()
        waits.append(round((delivery.next_at - timezone.now()).total_seconds()))
    assert waits == sorted(waits)
    assert (waits[0], len(waits)) == (5, 12)
    make_due()
    work()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.attempts, delivery.error) == ("failed", 13, "The receiver answered 500.")
    assert len({seen.headers["webhook-id"] for seen in server.seen}) == 1
    assert not Job.objects.filter(kind=events.DELIVER, state=JobState.QUEUED).exists()


def test_a_failure_queues_the_next_try_and_a_success_ends_it(admin, server):
    server.status = 503
    webhook, _ = hook(admin, server.url)
    events.send_test(webhook)
    work()
    queued = Job.objects.get(kind=events.DELIVER, state=JobState.QUEUED)
    assert timedelta(0) < queued.due_at - timezone.now() <= timedelta(seconds=6)
    webhook.refresh_from_db()
    assert webhook.failing_since is not None
    server.status = 204
    make_due()
    work()
    webhook.refresh_from_db()
    assert webhook.failing_since is None
    assert WebhookDelivery.objects.get().state == "delivered"


def test_a_receiver_that_is_down_is_not_asked_about_every_message(admin, server):
    server.status = 500
    webhook, _ = hook(admin, server.url)
    for _ in range(10):
        events.send_test(webhook)
    work()
    assert len(server.seen) == sending.FAILURES_A_TURN
    server.status = 200
    make_due()
    work()
    assert WebhookDelivery.objects.filter(state="delivered").count() == 10


def test_three_days_of_failure_switch_it_off_and_say_so(admin, server):
    server.status = 500
    webhook, _ = hook(admin, server.url)
    Webhook.objects.update(failing_since=timezone.now() - timedelta(days=3, minutes=1))
    events.send_test(webhook)
    work()
    webhook.refresh_from_db()
    assert not webhook.is_active
    assert "three days" in webhook.disabled_reason
    told = Notification.objects.get(user=admin)
    assert "was switched off" in told.title
    assert told.url == reverse("webhooks:detail", args=[webhook.pk])
    # Switched on again, what waited goes out.
    server.status = 200
    changing.switch_webhook(admin, webhook, on=True)
    make_due()
    work()
    assert WebhookDelivery.objects.get().state == "delivered"


def test_gone_switches_it_off_at_once(admin, server):
    server.status = 410
    webhook, _ = hook(admin, server.url)
    events.send_test(webhook)
    work()
    webhook.refresh_from_db()
    assert (webhook.is_active, "410" in webhook.disabled_reason) == (False, True)


def test_r93_a_private_address_is_refused_when_sent(admin, settings):
    webhook, _ = hook(admin)
    Webhook.objects.update(url="https://localhost/hook")
    events.send_test(webhook)
    work()
    assert "not an address of the public internet" in WebhookDelivery.objects.get().error


def test_redirects_are_said(admin, server):
    server.status, server.headers = 307, {"Location": "http://127.0.0.1:1/"}
    events.send_test(hook(admin, server.url)[0])
    work()
    assert "redirects are not followed" in WebhookDelivery.objects.get().error
    assert len(server.seen) == 1


def test_a_message_sent_again_keeps_its_id(admin, server):
    webhook, _ = hook(admin, server.url)
    events.send_test(webhook)
    work()
    events.send_again(WebhookDelivery.objects.get())
    work()
    assert [seen.headers["webhook-id"] for seen in server.seen] == [WebhookDelivery.objects.get().message_id] * 2
    assert server.seen[0].body == server.seen[1].body


def test_sweep_deletes_what_ended_and_rings_for_what_waits(admin):
    webhook, _ = hook(admin)
    old, waiting = events.send_test(webhook), events.send_test(webhook)
    WebhookDelivery.objects.filter(pk=old.pk).update(state="delivered", finished_at=timezone.now() - timedelta(days=31))
    Job.objects.all().delete()
    assert sending.sweep() == {"deleted": 1, "rung": 1}
    assert WebhookDelivery.objects.get() == waiting
    assert Job.objects.filter(kind=events.DELIVER).count() == 1


# --- secrets ---
def test_secrets_are_kept_sealed_and_rotated(admin, server):
    webhook, secret = hook(admin, server.url)
    assert secret not in webhook.secret
    assert opened(webhook.secret) == secret
    newer = changing.rotate_secret(admin, webhook)
    assert newer != secret
    events.send_test(webhook)
    work()
    sent = server.seen[0]
    arguments = (sent.headers["webhook-id"], int(sent.headers["webhook-timestamp"]), sent.body)
    assert sent.headers["webhook-signature"].split() == [signature(one, *arguments) for one in (newer, secret)]
    Webhook.objects.update(old_secret_until=timezone.now())
    events.send_test(webhook)
    work()
    assert len(server.seen[1].headers["webhook-signature"].split()) == 1
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"webhook.created", "webhook.secret_rotated"} <= actions
    assert not AuditEntry.objects.filter(details__icontains="whsec_").exists()


def test_a_secret_outlives_a_new_server_key(admin, settings):
    stored = sealed(new_secret())
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 10
    assert opened(stored).startswith("whsec_")
    webhook, _ = hook(admin)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "third" * 12, []
    events.send_test(webhook)
    work()
    assert "make a new one" in WebhookDelivery.objects.get().error


# --- who may ---
def test_webhooks_are_for_admins(admin):
    for user in (*three_people(), UserFactory(role=Role.INTEGRATION), UserFactory(role=Role.MARKETING_MANAGER)):
        with pytest.raises(PermissionDenied):
            hook(user)
    assert not Webhook.objects.exists()


@pytest.mark.parametrize(
    ("values", "field"),
    [({"url": "http://example.com"}, "url"), ({"url": "https://10.0.0.1/"}, "url"), ({"name": " "}, "name"),
     ({"events": []}, "events"), ({"events": ["segment.gone"]}, "events")],
)  # fmt: skip
def test_what_cannot_be_names_its_field(admin, values, field):
    with pytest.raises(ValidationError) as refused:
        hook(admin, **values)
    assert list(refused.value.message_dict) == [field]


# --- pages ---
def test_pages_make_show_and_send(client, admin, server):
    form = {"name": "Data team", "url": server.url, "events": ["segment.entered"]}
    answer = client.post(reverse("webhooks:new"), form)
    assert "whsec_" in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    webhook = Webhook.objects.get()
    for name in ("list", "detail", "edit"):
        page = client.get(reverse(f"webhooks:{name}", args=[] if name == "list" else [webhook.pk])).content.decode()
        assert "Data team" in page
        assert "whsec_" not in page
    client.post(reverse("webhooks:test", args=[webhook.pk]))
    work()
    delivery = WebhookDelivery.objects.get()
    page = client.get(reverse("webhooks:detail", args=[webhook.pk])).content.decode()
    assert "Delivered" in page
    page = client.get(reverse("webhooks:delivery", args=[webhook.pk, delivery.pk])).content.decode()
    assert "This is a test" in page
    client.post(reverse("webhooks:redeliver", args=[webhook.pk, delivery.pk]))
    work()
    assert len(server.seen) == 2
    client.post(reverse("webhooks:switch", args=[webhook.pk]), {"on": "0"})
    assert "nothing is told" in client.get(reverse("webhooks:detail", args=[webhook.pk])).content.decode()
    assert "whsec_" in client.post(reverse("webhooks:rotate", args=[webhook.pk])).content.decode()
    client.post(reverse("webhooks:delete", args=[webhook.pk]))
    assert not Webhook.objects.exists()


def test_form_says_what_is_wrong_beside_the_field(client, admin):
    form = {"name": "Data team", "url": "https://169.254.169.254/", "events": ["segment.entered"]}
    page = client.post(reverse("webhooks:new"), form).content.decode()
    assert "not an address of the public internet" in page
    assert not Webhook.objects.exists()


def test_what_the_receiver_says_stays_text(client, admin, server):
    server.status, server.body = 500, b"<script>alert(1)</script>"
    webhook, _ = hook(admin, server.url)
    events.send_test(webhook)
    work()
    page = client.get(reverse("webhooks:delivery", args=[webhook.pk, WebhookDelivery.objects.get().pk]))
    assert b"<script>alert(1)" not in page.content
    assert b"&lt;script&gt;" in page.content
