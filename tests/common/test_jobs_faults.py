"""Jobs under faults, with real processes: nothing lost, nothing doubled, people's requests never fail."""

import os
import random
import re
import signal
import sys
import time
from datetime import timedelta

import pytest
from django.db import transaction

from segmentation_crm.common import jobs
from segmentation_crm.common.jobs import bell, claims, sweeper
from segmentation_crm.common.models import Job, JobState, ScheduleSlot, User
from tests.support.processes import wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("live"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
]


def chunk_job(chunks: int, pause: float = 0.02) -> Job:
    return jobs.enqueue("test.chunks", payload={"chunks": chunks, "pause": pause})


def written(job: Job) -> dict[int, int]:
    """Return chunk number -> how often it was written."""
    counts: dict[int, int] = {}
    for task in ScheduleSlot.objects.filter(task__startswith=f"chunk:{job.pk}:").values_list("task", flat=True):
        number = int(task.rpartition(":")[2])
        counts[number] = counts.get(number, 0) + 1
    return counts


def assert_exact(job: Job) -> None:
    job.refresh_from_db()
    assert job.state == "done", job.error
    total = job.payload["chunks"]
    assert written(job) == dict.fromkeys(range(total), 1), "a chunk was lost or doubled"
    assert job.done_units == total


@pytest.fixture
def kinds():
    """Have the fault tests' kinds in this process too."""
    import tests.support.job_kinds  # noqa: F401


@pytest.fixture
def own_worker(live, kinds):
    """Return the running product with the session's worker; a test may kill it, the fixture brings another."""
    worker = next(program for program in live.programs if "worker" in program.argv)
    yield worker
    if worker.process.poll() is not None and worker in live.programs:
        live.programs.remove(worker)
        live.start_worker()


def test_r96_twenty_killed_pool_processes_lose_and_double_nothing(live, own_worker):
    random.seed(96)
    # Two processes, two jobs: what is measured is the resuming, not a queue.
    work = [chunk_job(120) for _ in range(2)]
    kills, resumed = 0, []
    deadline = time.monotonic() + 100
    while kills < 22 and time.monotonic() < deadline:
        time.sleep(random.uniform(0.05, 0.6))
        pool = own_worker.children()
        if not pool:
            continue
        while Job.objects.filter(state__in=["queued", "running"]).count() < 2:
            work.append(chunk_job(120))
        before = {job.pk: job.fence for job in Job.objects.filter(state="running")}
        victim = random.choice(pool)
        held = [j.pk for j in Job.objects.filter(state="running") if f":{victim}:" in j.claimed_by]
        os.kill(victim, signal.SIGKILL)
        kills += 1
        began = time.monotonic()
        for pk in held:
            while time.monotonic() - began < 20:
                job = Job.objects.get(pk=pk)
                if job.fence > before.get(pk, 0) or not job.is_active:
                    resumed.append(time.monotonic() - began)
                    break
                time.sleep(0.02)
    for job in work:
        live.wait_for_job(job, 90)
        assert_exact(job)
    assert kills >= 20
    figures = sorted(resumed)
    print(f"kills {kills}, resumed {len(figures)}, p95 {figures[int(len(figures) * 0.95)]:.2f} s")
    assert figures[len(figures) // 2] < 5


def test_r96_whole_worker_killed_another_takes_over(live, own_worker):
    work = [chunk_job(60) for _ in range(3)]
    time.sleep(1)
    own_worker.kill()
    live.programs.remove(own_worker)
    began = time.monotonic()
    live.start_worker()
    for job in work:
        live.wait_for_job(job, 100)
        assert_exact(job)
    print(f"all done {time.monotonic() - began:.1f} s after the kill, new worker's start included")


def test_r97_work_that_kills_its_worker_fails_with_words_and_others_go_on(live, own_worker):
    deadly = jobs.enqueue("test.suicide")
    other = chunk_job(20)
    live.wait_for_job(deadly, 60)
    assert deadly.state == "failed"
    assert "three times" in deadly.error
    live.wait_for_job(other)
    assert_exact(other)


def test_r98_duplicate_deliveries_change_nothing(live, own_worker):
    job = chunk_job(40)
    for _ in range(20):
        bell.publish(job.pk, "default")
    live.wait_for_job(job)
    for _ in range(5):
        bell.publish(job.pk, "default")
    time.sleep(1)
    assert_exact(job)
    assert job.fence == 1


def test_r100_emptied_redis_changes_only_the_time(live, own_worker):
    work = [chunk_job(15) for _ in range(8)]
    live.broker.client().flushall()
    later = [chunk_job(5) for _ in range(2)]
    for job in later:
        live.wait_for_job(job)

    def all_ended():
        # The sweeper's turn comes every 30 s; here it comes with every look, the bells' age waited out.
        Job.objects.filter(state="queued").update(rung_at=None)
        sweeper.sweep()
        return not Job.objects.filter(state__in=["queued", "running"]).exists()

    wait_until(all_ended, 120, "the end of all jobs")
    for job in work + later:
        job.refresh_from_db()
        assert_exact(job)


def test_r99_broker_down_and_frozen_requests_stay_quick(live, own_worker, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{live.folder}/nobody.sock")
    bell.forget_connections()
    began = time.monotonic()
    down = chunk_job(2)
    assert time.monotonic() - began < 1
    assert bell.circuit_is_open()

    monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{live.broker.path}")
    bell.reset_circuit()
    bell.forget_connections()
    os.kill(live.broker.process.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        frozen = chunk_job(2)
        first = time.monotonic() - began
        began = time.monotonic()
        after = chunk_job(2)
        second = time.monotonic() - began
    finally:
        os.kill(live.broker.process.pid, signal.SIGCONT)
    print(f"frozen broker: first enqueue {first:.2f} s, next {second:.3f} s")
    assert first < 6
    assert second < 0.5
    bell.reset_circuit()
    Job.objects.filter(state="queued").update(rung_at=None)
    sweeper.sweep()
    for job in (down, frozen, after):
        live.wait_for_job(job)
        assert_exact(job)


def test_r104_a_frozen_worker_that_wakes_commits_nothing(live, own_worker):
    job = chunk_job(60, pause=0.1)
    live_since = time.monotonic()
    while not written(job) and time.monotonic() - live_since < 20:
        time.sleep(0.05)
    job.refresh_from_db()
    holder = int(re.search(r":(\d+):", job.claimed_by)[1])
    os.kill(holder, signal.SIGSTOP)
    try:
        # What an hour's freeze does, at once: the lease ends and another process takes over.
        Job.objects.filter(pk=job.pk).update(lease_until=job.created_at)
        bell.publish(job.pk, "default")
        waited = time.monotonic()
        while Job.objects.get(pk=job.pk).fence == job.fence and time.monotonic() - waited < 30:
            time.sleep(0.05)
    finally:
        os.kill(holder, signal.SIGCONT)
    live.wait_for_job(job)
    assert_exact(job)
    assert job.fence > 1


def test_cancel_reaches_chunks_and_a_long_statement_within_five_seconds(live, own_worker):
    for job in (chunk_job(2000, pause=0.05), jobs.enqueue("test.long_statement")):
        began = time.monotonic()
        while Job.objects.get(pk=job.pk).state != "running" and time.monotonic() - began < 20:
            time.sleep(0.05)
        time.sleep(0.5)
        began = time.monotonic()
        assert jobs.request_cancel(job)
        live.wait_for_job(job, 15)
        took = time.monotonic() - began
        assert job.state == "cancelled", job.error
        print(f"{job.kind}: cancelled after {took:.2f} s")
        assert took <= 5


def test_r109_sigterm_hands_back_and_the_next_worker_goes_on(live, own_worker):
    job = chunk_job(150, pause=0.05)
    began = time.monotonic()
    while len(written(job)) < 3 and time.monotonic() - began < 20:
        time.sleep(0.05)
    own_worker.process.terminate()
    began = time.monotonic()
    while Job.objects.get(pk=job.pk).state == "running" and time.monotonic() - began < 30:
        time.sleep(0.05)
    job.refresh_from_db()
    assert job.state == "queued"
    assert job.attempt == 0
    print(f"handed back {time.monotonic() - began:.2f} s after SIGTERM")
    own_worker.process.wait(timeout=30)
    live.programs.remove(own_worker)
    live.start_worker()
    Job.objects.filter(pk=job.pk).update(rung_at=None)
    sweeper.sweep()
    live.wait_for_job(job)
    assert_exact(job)


def test_r101_two_schedulers_start_each_slot_once(live, own_worker):
    # The session's worker does not know the test's schedule: a tick that it takes would start nothing.
    own_worker.stop(5)
    live.env["SWEEP_SECONDS"] = "1"
    ticker = live.start_worker("-n", "ticker@%h", TEST_SCHEDULE="2")
    beats = [live.start_beat(), live.start_beat()]
    try:
        began = time.monotonic()
        while ScheduleSlot.objects.filter(task__startswith="test.every").count() < 4:
            assert time.monotonic() - began < 90, beats[0].tail() + ticker.tail()
            time.sleep(0.2)
    finally:
        live.env.pop("SWEEP_SECONDS")
        for program in (*beats, ticker):
            program.stop(5)
            live.programs.remove(program)

    def one_job_a_slot():
        # A process on its way out may still start a slot between the two counts.
        slots = ScheduleSlot.objects.filter(task__startswith="test.every").count()
        return Job.objects.filter(kind="test.every_second").count() == slots

    wait_until(one_job_a_slot, 10, "one job for each slot")


def test_a_job_written_in_a_transaction_that_fails_never_runs(live, own_worker):
    class Undone(Exception):
        pass

    def write_and_fail():
        with transaction.atomic():
            User.objects.create(username="never")
            chunk_job(1)
            raise Undone

    with pytest.raises(Undone):
        write_and_fail()
    assert not Job.objects.exists()


def test_r102_leases_are_by_database_time(live, kinds, monkeypatch):
    """A worker machine whose clock is an hour fast neither sees a lease as ended nor gives a longer one."""
    job = jobs.enqueue("test.chunks", due_at=None, payload={"chunks": 1}, queue="nobody")
    assert claims.claim(job.pk)
    from django.utils import timezone

    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + timedelta(hours=1))
    assert claims.claim(job.pk) is None
    claims.finish(Job.objects.get(pk=job.pk), JobState.DONE)
