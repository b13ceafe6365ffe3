"""Rate limits: exact under parallel calls, announced in headers, open when the cache is down (R60)."""

import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest
from rest_framework.settings import api_settings

from segmentation_crm.common.api import throttling
from segmentation_crm.common.api.throttling import AtomicUserThrottle


@pytest.fixture(autouse=True)
def hundred_a_minute(monkeypatch):
    monkeypatch.setattr(api_settings, "DEFAULT_THROTTLE_RATES", {"api": "100/min", "bulk": "2/s"}, raising=False)
    throttling._breaker.open_until = 0.0


@pytest.fixture
def noon(monkeypatch):
    """A clock that stands still in the middle of a window."""
    clock = SimpleNamespace(now=1_800_000_030.0)
    monkeypatch.setattr(throttling.time, "time", lambda: clock.now)
    return clock


def request_of(pk=1, **meta):
    user = SimpleNamespace(pk=pk, is_authenticated=pk is not None)
    headers = {name.removeprefix("HTTP_").replace("_", "-").lower(): value for name, value in meta.items()}
    return SimpleNamespace(
        user=user, META={"REMOTE_ADDR": "10.0.0.1", **meta}, headers=headers, _request=SimpleNamespace()
    )


def passes(request, view=None):
    return AtomicUserThrottle().allow_request(request, view or SimpleNamespace())


def test_r60_of_1000_parallel_calls_at_most_100_pass(noon):
    with ThreadPoolExecutor(16) as pool:
        allowed = sum(pool.map(lambda _: passes(request_of()), range(1000)))
    assert allowed == 100


def test_one_users_calls_leave_anothers_alone(noon):
    assert sum(passes(request_of(1)) for _ in range(150)) == 100
    assert passes(request_of(2))


def test_r60_a_forged_address_does_not_make_a_new_caller(noon):
    for index in range(100):
        assert passes(request_of(None, HTTP_X_FORWARDED_FOR=f"1.2.3.{index}"))
    assert not passes(request_of(None, HTTP_X_FORWARDED_FOR="9.9.9.9"))


def test_the_window_slides(noon):
    assert sum(passes(request_of()) for _ in range(100)) == 100
    noon.now += 60  # the next window, half of the last one still counts
    assert sum(passes(request_of()) for _ in range(100)) == 50
    noon.now += 120
    assert passes(request_of())


def test_the_call_says_how_much_is_left_and_when_to_come_back(noon):
    request = request_of()
    assert passes(request)
    limit, left, _ = request._request.rate_limit
    assert (limit, left) == (100, 99)
    for _ in range(99):
        passes(request_of())
    throttle = AtomicUserThrottle()
    assert not throttle.allow_request(request_of(), SimpleNamespace())
    assert 1 <= throttle.wait() <= 61


def test_a_view_names_its_own_rate(noon):
    view = SimpleNamespace(throttle_scope="bulk")
    assert [passes(request_of(), view) for _ in range(3)] == [True, True, False]


def test_without_a_cache_calls_pass_and_a_line_is_logged(monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise ConnectionError("no cache")

    monkeypatch.setattr(throttling, "cache", SimpleNamespace(get=broken, add=broken, incr=broken))
    assert passes(request_of())
    assert "Rate limit not applied" in caplog.text
    started = time.perf_counter()
    assert passes(request_of())
    assert time.perf_counter() - started < 0.1
    throttling._breaker.open_until = 0.0
