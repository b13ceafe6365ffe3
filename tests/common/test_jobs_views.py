"""The pages of background work: alice may see her job, an admin too, charlie may not."""

import pytest
from django.urls import reverse

from segmentation_crm.common.jobs import claims
from segmentation_crm.common.models import Job, JobState, Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice():
    return User.objects.create(username="alice", role=Role.SALES_REP)


@pytest.fixture
def charlie():
    return User.objects.create(username="charlie", role=Role.SALES_REP)


@pytest.fixture
def admin():
    return User.objects.create(username="boss", role=Role.ADMIN)


@pytest.fixture
def job(alice):
    from django.utils import timezone

    return Job.objects.create(
        kind="x.y", title="Import of leads.csv", created_by=alice, due_at=timezone.now(), total_units=200
    )


def url(name: str, job: Job) -> str:
    return reverse(f"jobs:{name}", args=[job.public_id])


def test_job_list_shows_ones_own(client, job, alice, charlie, admin):
    for user, is_seen in ((alice, True), (charlie, False), (admin, True)):
        client.force_login(user)
        response = client.get(reverse("jobs:list"))
        assert response.status_code == 200
        assert (job.title in response.content.decode()) is is_seen
    assert job.title not in client.get(reverse("jobs:list") + "?state=failed").content.decode()


@pytest.mark.parametrize("name", ["detail", "progress"])
def test_a_job_one_may_not_see_is_missing(client, job, alice, charlie, name):
    client.force_login(charlie)
    assert client.get(url(name, job)).status_code == 404
    client.force_login(alice)
    assert client.get(url(name, job)).status_code == 200


def test_strangers_log_in_first(client, job):
    response = client.get(reverse("jobs:list"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


def test_progress_asks_again_until_the_end(client, job, alice):
    client.force_login(alice)
    running = claims.claim(job.pk)
    claims.show(running, {"done_units": 50, "unit": "rows"})
    response = client.get(url("progress", job))
    text = response.content.decode()
    assert 'hx-trigger="every 1s"' in text
    assert 'aria-valuenow="25"' in text
    assert "rows" in text
    assert "HX-Trigger" not in response
    claims.finish(running, JobState.FAILED, error="Row 3 <b>is</b> odd.")
    response = client.get(url("progress", job))
    text = response.content.decode()
    assert "hx-trigger" not in text
    assert "Row 3 &lt;b&gt;is&lt;/b&gt; odd." in text
    assert response["HX-Trigger"] == "job-ended"


def test_cancel_by_its_owner_only_and_by_post_only(client, job, alice, charlie):
    client.force_login(charlie)
    assert client.post(url("cancel", job)).status_code == 404
    client.force_login(alice)
    assert client.get(url("cancel", job)).status_code == 405
    assert client.post(url("cancel", job)).status_code == 302
    job.refresh_from_db()
    assert job.state == "cancelled"
    text = client.post(url("cancel", job), follow=True).content.decode()
    assert "had ended before" in text


def test_cancel_in_place_returns_the_fragment(client, job, alice):
    client.force_login(alice)
    claims.claim(job.pk)
    response = client.post(url("cancel", job), headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert "Cancelling" in response.content.decode()
