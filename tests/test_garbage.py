"""The collector leaves alone what lives as long as the process."""

import gc

import pytest
from django.core.signals import request_finished

from segmentation_crm import garbage


@pytest.fixture(autouse=True)
def thawed():
    yield
    gc.unfreeze()
    request_finished.disconnect(dispatch_uid="garbage")


def test_what_is_there_is_walked_no_more_and_garbage_still_goes():
    garbage.settle()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    loop = []
    loop.append(loop)
    del loop
    assert gc.collect() >= 1
    assert gc.get_freeze_count() == frozen


@pytest.mark.django_db
def test_a_process_settles_at_once_and_again_when_warm(monkeypatch):
    settled = []
    monkeypatch.setattr(garbage, "settle", lambda: settled.append(1))
    garbage.settle_when_warm()
    assert len(settled) == 1
    for _ in range(19):
        request_finished.send(sender=None)
    assert len(settled) == 1
    request_finished.send(sender=None)
    assert len(settled) == 2
