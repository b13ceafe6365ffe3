"""Refreshes under faults: killed at any moment nothing is lost and nothing doubled; open writers hold nothing up."""

import os
import random
import signal
import threading
import time

import pytest
from django.db import connection, connections, transaction
from pyroaring import BitMap

from accounts.models import Account
from segmentation_crm.common.models import Role
from segments.models import Segment
from segments.rules.evaluate import member_bitmap
from segments.rules.preview import preview
from segments.rules.validate import validate
from segments.services.refreshing import refresh, refresh_until_done
from tests.factories import AccountFactory, UserFactory

from .making import all_of, built, in_segment, larger_than, member_ids

pytestmark = pytest.mark.django_db(transaction=True)
KILLS = int(os.environ.get("KILLS", "20"))


def members_asked(segment: Segment) -> set[int]:
    """Return whom the rule chooses now."""
    return set(member_bitmap(validate(segment.rules, segment.member_type, segment_id=segment.pk)))


def assert_exact(segment: Segment) -> None:
    """Check that the members are right, and that the runs tell of each coming and going once."""
    folded = BitMap()
    for entered, left in segment.runs.order_by("pk").values_list("entered", "left"):
        came, went = BitMap.deserialize(bytes(entered)), BitMap.deserialize(bytes(left))
        assert not came & folded, "somebody entered twice"
        assert went <= folded, "somebody left twice"
        folded = (folded | came) - went
    assert set(folded) == member_ids(segment) == members_asked(segment)
    segment.refresh_from_db()
    assert segment.member_count == len(folded)


def refresh_elsewhere() -> int:
    """Start a process that refreshes without end; return its id."""
    connections.close_all()
    child = os.fork()
    if child:
        return child
    try:
        while True:
            refresh_until_done(wake=True)
            # SQLite lets whoever asks next have its only place for writing: others must have their turn.
            time.sleep(0.01)
    finally:
        os._exit(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.timeout(300)
def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled():
    chosen = random.Random(7)
    accounts = [AccountFactory(employee_count=chosen.choice([50, 500])).pk for _ in range(30)]
    segments = [built(larger_than(200), "Base"), built(in_segment("base"), "Reader")]
    segments.append(built(all_of({"field": "account.employee_count", "operator": "top_percent", "value": 20}), "Top"))
    refresh_until_done()
    for _ in range(KILLS):
        child = refresh_elsewhere()
        try:
            for _ in range(chosen.choice([1, 5])):
                pk, size = chosen.choice(accounts), chosen.choice([50, 100, 500, 900])
                Account.objects.filter(pk=pk).update(employee_count=size)
                time.sleep(chosen.random() * 0.03)
        finally:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), "the refresh ended by itself"
    refresh_until_done(wake=True)
    for segment in segments:
        assert segment.runs.count() > 1
        assert_exact(segment)


def test_an_open_writer_holds_up_neither_preview_nor_refresh():
    account = AccountFactory(employee_count=80)
    segment = built(larger_than(200))
    user = UserFactory(role=Role.ADMIN)
    refresh_until_done()
    wrote, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with transaction.atomic():
            Account.objects.filter(pk=account.pk).update(employee_count=900)
            wrote.set()
            go_on.wait(20)
        connections.close_all()

    writer = threading.Thread(target=write)
    writer.start()
    assert wrote.wait(20)
    rule = validate(segment.rules, segment.member_type)
    assert preview(rule, "account", user).count == 0
    if connection.vendor == "postgresql":
        refresh(wake=True)
        assert member_ids(segment) == set()
    go_on.set()
    # SQLite has one writer: there the refresh waits for the other to commit.
    refresh_until_done(wake=True)
    writer.join()
    assert preview(rule, "account", user).count == 1
    refresh_until_done()
    assert member_ids(segment) == {account.pk}
    assert_exact(segment)
