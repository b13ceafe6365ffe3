"""The jobs of segments: what they do, twice, and when they are queued."""

import pytest

from segmentation_crm.common.extensions import after_import
from segmentation_crm.common.jobs import enqueue
from segmentation_crm.common.jobs.registry import scheduled
from segmentation_crm.common.jobs.running import run
from segmentation_crm.common.models import Job
from segments.services.rebuilding import rebuild_segment
from segments.services.refreshing import refresh_until_done
from segments.tasks import look_for_changes
from tests.factories import AccountFactory

from .making import in_segment, larger_than, member_ids, saved

pytestmark = pytest.mark.django_db


def test_the_job_of_a_save_computes_members_and_those_of_readers():
    account = AccountFactory(employee_count=100)
    base = saved(larger_than(50), "Base")
    reader = saved(in_segment("base"), "Reader")
    job = Job.objects.get(key=f"segment:{base.pk}")
    assert run(job.pk) == "done"
    job.refresh_from_db()
    assert job.result == {"segments": 2, "broken": 0}
    assert member_ids(base) == member_ids(reader) == {account.pk}


def test_r115_saving_twice_leaves_one_job_waiting():
    segment = saved(larger_than(50))
    from segments.services.saving import queue_rebuild

    assert queue_rebuild(segment, None, "rebuild").pk == queue_rebuild(segment, None, "rebuild").pk
    assert Job.objects.filter(key=f"segment:{segment.pk}").count() == 1


def test_a_job_run_twice_changes_nothing_more():
    AccountFactory(employee_count=100)
    segment = saved(larger_than(50))
    first = Job.objects.get()
    assert run(first.pk) == "done"
    assert run(first.pk) is None
    assert segment.runs.count() == 1


def test_a_segment_deleted_before_its_job_is_no_error():
    segment = saved(larger_than(50))
    job = Job.objects.get()
    segment.delete()
    assert run(job.pk) == "done"


def test_an_import_queues_one_refresh():
    account = AccountFactory(employee_count=100)
    segment = saved(larger_than(50))
    for hook in after_import:
        hook()
        hook()
    job = Job.objects.get(kind="segments.refresh")
    rebuild_segment(segment.pk)
    refresh_until_done()
    second = AccountFactory(employee_count=100)
    assert run(job.pk) == "done"
    assert member_ids(segment) == {account.pk, second.pk}


def test_all_segments_are_compared_with_their_rules_nightly():
    entry = scheduled()["segments.reconcile:scheduled"]
    assert (entry.kind, entry.daily) == ("segments.reconcile", "02:15")


def test_the_comparison_finds_and_mends_drift():
    account, other = AccountFactory(employee_count=100), AccountFactory(employee_count=100)
    segment = saved(larger_than(50))
    rebuild_segment(segment.pk)
    job = enqueue("segments.reconcile")
    assert run(job.pk) == "done"
    job.refresh_from_db()
    assert job.result == {"segments": 1, "broken": 0, "drift": 0}
    segment.members().filter(account=other.pk).delete()
    job = enqueue("segments.reconcile")
    assert run(job.pk) == "done"
    job.refresh_from_db()
    assert job.result["drift"] == 1
    assert member_ids(segment) == {account.pk, other.pk}


def test_looking_queues_one_refresh_where_changes_wait():
    AccountFactory(employee_count=100)
    for _ in range(3):
        look_for_changes()
    assert Job.objects.filter(kind="segments.refresh").count() == 1
