"""Jobs: writing, claiming, ending; every rule of attempts, leases and fences, without processes."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from segmentation_crm.common import jobs
from segmentation_crm.common.jobs import claims, registry
from segmentation_crm.common.models import Job, JobState, Role, User

pytestmark = pytest.mark.django_db


@pytest.fixture
def handler():
    """Register the kind "test.work"; the test puts the handler's body into the returned dict."""
    body = {"run": lambda run: {"seen": run.payload}}

    def work(run: jobs.JobRun):
        return body["run"](run)

    registry._kinds["test.work"] = registry.Kind("test.work", work, "default", "Test work")
    yield body
    registry._kinds.pop("test.work")


def state(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def expire(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_job_runs_to_its_result(handler):
    job = jobs.enqueue("test.work", payload={"n": 1})
    assert jobs.run(job.pk) == JobState.DONE
    assert state(job) == "done"
    assert job.result == {"seen": {"n": 1}}
    assert job.title == "Test work"
    assert job.started_at
    assert job.finished_at


def test_an_unknown_kind_is_refused_when_written():
    with pytest.raises(jobs.UnknownKind, match=r"no\.such"):
        jobs.enqueue("no.such")


def test_bell_rings_after_commit_only(handler, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue("test.work", queue="bulk")
        assert rung == []
    assert rung == [(job.pk, "bulk")]


def test_r110_a_broken_broker_never_fails_the_request(handler, monkeypatch, django_capture_on_commit_callbacks):
    calls = []

    def broken(job_id, queue):
        calls.append(job_id)
        raise OSError("no route to broker")

    monkeypatch.setattr(jobs.bell, "_publish", broken)
    with django_capture_on_commit_callbacks(execute=True):
        first = jobs.enqueue("test.work")
        jobs.enqueue("test.work")
    assert calls == [first.pk], "after one failure the circuit is open"
    assert Job.objects.filter(state="queued").count() == 2


def test_one_waits_per_kind_and_key(handler):
    first = jobs.enqueue("test.work", key="a", payload={"n": 1})
    assert jobs.enqueue("test.work", key="a", payload={"n": 2}) == first
    assert jobs.enqueue("test.work", key="b") != first
    assert jobs.enqueue("test.work") != jobs.enqueue("test.work"), "without a key each is its own"


def test_an_earlier_due_time_pulls_the_waiting_one_forward(handler):
    later = timezone.now() + timedelta(hours=1)
    job = jobs.enqueue("test.work", key="a", due_at=later)
    assert jobs.run(job.pk) is None, "not due yet"
    jobs.enqueue("test.work", key="a")
    assert jobs.run(job.pk) == JobState.DONE


def test_r115_one_runs_one_follows(handler):
    first = jobs.enqueue("test.work", key="a")
    running = claims.claim(first.pk)
    second = jobs.enqueue("test.work", key="a")
    assert second.pk != first.pk
    assert claims.claim(second.pk) is None, "the first still runs"
    claims.finish(running, JobState.DONE)
    assert claims.claim(second.pk) is not None


def test_the_end_of_a_job_rings_for_its_follower(handler, rung):
    job = jobs.enqueue("test.work", key="a")
    follower = []
    handler["run"] = lambda run: follower.append(jobs.enqueue("test.work", key="a"))
    jobs.run(job.pk)
    assert (follower[0].pk, "default") in rung


def test_r98_a_message_twice_runs_once(handler):
    job = jobs.enqueue("test.work")
    runs = []
    handler["run"] = lambda run: runs.append(jobs.run(job.pk))
    assert jobs.run(job.pk) == JobState.DONE
    assert runs == [None], "the same message while it runs"
    assert jobs.run(job.pk) is None, "the same message afterwards"


def test_r104_a_zombie_is_refused_by_its_fence(handler):
    job = jobs.enqueue("test.work")
    zombie = jobs.JobRun(claims.claim(job.pk))
    expire(job)
    other = claims.claim(job.pk)
    assert other.fence == zombie.job.fence + 1

    def write_late():
        with transaction.atomic():
            User.objects.create(username="written by the zombie")
            zombie.commit_chunk(done=1)

    with pytest.raises(jobs.LeaseLost):
        write_late()
    assert not User.objects.filter(username="written by the zombie").exists()
    assert claims.finish(zombie.job, JobState.DONE) is False
    assert claims.renew(zombie.job) is False
    with pytest.raises(jobs.LeaseLost):
        zombie.check_cancelled()


def test_r97_three_claims_without_progress_fail_with_words(handler):
    job = jobs.enqueue("test.work")
    for _ in range(3):
        assert claims.claim(job.pk) is not None
        expire(job)
    assert claims.claim(job.pk) is None
    assert state(job) == "failed"
    assert "three times" in job.error


def test_a_committed_chunk_resets_the_attempts(handler):
    job = jobs.enqueue("test.work")
    for turn in range(6):
        run = jobs.JobRun(claims.claim(job.pk))
        with transaction.atomic():
            run.commit_chunk(checkpoint={"after": turn}, done=turn + 1, total=6, unit="rows")
        expire(job)
    job.refresh_from_db()
    assert (job.attempt, job.checkpoint, job.done_units) == (0, {"after": 5}, 6)


def test_a_chunk_belongs_into_a_transaction(handler, transactional_db):
    run = jobs.JobRun(claims.claim(jobs.enqueue("test.work").pk))
    with pytest.raises(transaction.TransactionManagementError):
        run.commit_chunk(done=1)


def test_an_exception_is_tried_again_then_fails_without_insides(handler):
    job = jobs.enqueue("test.work")

    def explode(run):
        raise ValueError("secret of a customer")

    handler["run"] = explode
    for attempt in range(1, 4):
        assert jobs.run(job.pk) == (JobState.QUEUED if attempt < 3 else JobState.FAILED)
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
    assert state(job) == "failed"
    assert "3 times" in job.error
    assert "ValueError" in job.error
    assert "secret" not in job.error


def test_job_failed_says_why_at_once(handler):
    job = jobs.enqueue("test.work")

    def fail(run):
        raise jobs.JobFailed("The file has no header row.")

    handler["run"] = fail
    assert jobs.run(job.pk) == JobState.FAILED
    assert state(job) == "failed"
    assert job.error == "The file has no header row."


def test_cancel_while_waiting_and_while_running(handler):
    waiting = jobs.enqueue("test.work")
    assert jobs.request_cancel(waiting)
    assert state(waiting) == "cancelled"
    assert jobs.run(waiting.pk) is None

    job = jobs.enqueue("test.work")

    def cancelled_meanwhile(run):
        jobs.request_cancel(job)
        run.check_cancelled()

    handler["run"] = cancelled_meanwhile
    assert jobs.run(job.pk) == JobState.CANCELLED
    assert jobs.request_cancel(job) is False


def test_cancelled_while_its_worker_was_dead(handler):
    job = jobs.enqueue("test.work")
    claims.claim(job.pk)
    jobs.request_cancel(job)
    expire(job)
    assert jobs.run(job.pk) is None
    assert state(job) == "cancelled"


def test_r109_shutdown_hands_back_without_an_attempt(handler, monkeypatch, rung):
    job = jobs.enqueue("test.work")
    monkeypatch.setattr(jobs.running, "is_stopping", lambda: True)
    handler["run"] = lambda run: run.check_cancelled()
    assert jobs.run(job.pk) == JobState.QUEUED
    job.refresh_from_db()
    assert (job.state, job.attempt, job.claimed_by) == ("queued", 0, "")
    assert (job.pk, "default") in rung


def test_r109_unknown_kind_and_version_are_parked_with_words(handler):
    job = jobs.enqueue("test.work")
    Job.objects.filter(pk=job.pk).update(kind="of.tomorrow")
    assert jobs.run(job.pk) == JobState.QUEUED
    job.refresh_from_db()
    assert "does not know the work 'of.tomorrow'" in job.error
    assert job.due_at > timezone.now() + timedelta(minutes=4)
    assert job.attempt == 0
    Job.objects.filter(pk=job.pk).update(kind="test.work", payload_version=7, due_at=timezone.now())
    assert jobs.run(job.pk) == JobState.QUEUED
    job.refresh_from_db()
    assert "version 7" in job.error


def test_progress_shows_figures(handler):
    job = jobs.enqueue("test.work")
    run = jobs.JobRun(claims.claim(job.pk))
    run.progress(5, 20, "rows")
    assert claims.show(run.job, run._figures())
    job.refresh_from_db()
    assert (job.done_units, job.total_units, job.unit, job.progress) == (5, 20, "rows", 0.25)


def test_a_lease_of_a_process_that_is_gone_ends_at_once(handler, monkeypatch):
    job = jobs.enqueue("test.work")
    monkeypatch.setattr(claims, "identity", lambda: "host:1:2")
    first = claims.claim(job.pk)
    assert claims.claim(job.pk) is None, "a process of another machine may live"
    monkeypatch.setattr(claims, "is_gone", lambda name: name == "host:1:2")
    second = claims.claim(job.pk)
    assert second.fence == first.fence + 1


def test_jobs_are_seen_by_their_owner_and_by_admins(handler):
    alice = User.objects.create(username="alice", role=Role.SALES_REP)
    charlie = User.objects.create(username="charlie", role=Role.SALES_REP)
    admin = User.objects.create(username="boss", role=Role.ADMIN)
    job = jobs.enqueue("test.work", user=alice)
    assert list(jobs.jobs_visible_to(alice)) == [job]
    assert list(jobs.jobs_visible_to(charlie)) == []
    assert list(jobs.jobs_visible_to(admin)) == [job]
