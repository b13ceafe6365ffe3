"""Ask for pages in process, through Django's test client, and time them."""

import html
import re
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment, teardown_test_environment

from segmentation_crm.common.models import User
from segmentation_crm.garbage import settle

from .rows import BUDGET_MS, Check, Row

_NEXT = re.compile(r'<a[^>]*(?:rel="next"[^>]*href="([^"]+)"|href="([^"]+)"[^>]*rel="next")')


@dataclass
class Result:
    """What was measured of one row; times in milliseconds, `cpu` without waiting."""

    name: str
    user: str
    requests: int = 0
    cold: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    worst: float = 0.0
    queries: int = 0
    cpu: float = 0.0
    status: int = 200
    check: dict[str, Any] | None = None
    slow: dict[str, Any] | None = field(default=None)

    @property
    def is_within(self) -> bool:
        """Tell whether every page answered and 95 of 100 within the budget."""
        return self.status == 200 and self.p95 <= BUDGET_MS

    @property
    def is_true(self) -> bool:
        """Tell whether the figure equals the hand-written SQL, where one stands beside it."""
        return self.check is None or self.check["page"] == self.check["sql"]


def clients(usernames: set[str]) -> dict[str, Client]:
    """Return a logged-in client for each user."""
    found = {}
    for username in usernames:
        found[username] = Client()
        found[username].force_login(User.objects.get(username=username), "django.contrib.auth.backends.ModelBackend")
    return found


def measure(row: Row, client: Client, requests: int) -> Result:
    """Ask once cold and `requests` times warm; count the queries, look closer where it is slow, check the figure."""
    result = Result(row.name, row.user)
    times: list[float] = []
    cpu: list[float] = []
    path = row.paths[0]
    settle()  # as a web process does once it is warm; its pause comes after an answer, never within one
    for number in range(requests + 1):
        asked = path if row.walk else row.paths[number % len(row.paths)]
        started, worked = time.perf_counter(), time.thread_time()
        response = client.get(asked, secure=True)
        times.append((time.perf_counter() - started) * 1000)
        cpu.append((time.thread_time() - worked) * 1000)
        if response.status_code != 200:
            result.status = response.status_code
            break
        if row.walk:
            path = _following(response.content.decode(), row.paths[0])
    warm = sorted(times[1:] or times)
    result.requests = len(times)
    result.cold, result.worst = round(times[0], 1), round(warm[-1], 1)
    result.p50, result.p95 = round(statistics.median(warm), 1), round(_p95(warm), 1)
    result.cpu = round(statistics.median(cpu[1:] or cpu), 1)
    if row.paths and result.status in (200, 503):
        slowest = row.paths[0] if row.walk else row.paths[times.index(max(times)) % len(row.paths)]
        _look_closer(result, client, slowest)
        if row.check is not None and result.status == 200:
            result.check = _checked(row.check, client)
    return result


def _p95(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, -(-95 * len(ordered) // 100) - 1)]


def _following(page: str, first: str) -> str:
    found = _NEXT.search(page)
    if found is None:
        return first
    target = html.unescape(found[1] or found[2])
    return target if target.startswith("/") else first.split("?")[0] + target


def _look_closer(result: Result, client: Client, path: str) -> None:
    """Count the page's queries; of a slow page keep the slowest one with its plan."""
    with CaptureQueriesContext(connection) as captured:
        client.get(path, secure=True)
    result.queries = len(captured)
    if result.is_within or not captured.captured_queries:
        return
    worst = max(captured.captured_queries, key=lambda query: float(query["time"]))
    total = sum(float(query["time"]) for query in captured.captured_queries)
    result.slow = {"path": path, "sql": worst["sql"], "seconds": worst["time"], "all_queries_seconds": round(total, 3)}
    if worst["sql"].lstrip().upper().startswith(("SELECT", "WITH")):
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + worst["sql"].replace("%", "%%"), [])
            result.slow["plan"] = [line for (line,) in cursor.fetchall()]


def _checked(check: Check, client: Client) -> dict[str, Any]:
    """Read the figure from the page and from the hand-written SQL."""
    # Only now: keeping every template's context would cost the measured requests.
    setup_test_environment(debug=False)
    try:
        shown = check.read(client.get(check.path, secure=True))
    except (AssertionError, KeyError, TypeError) as error:
        shown = f"not shown: {error}"
    finally:
        teardown_test_environment()
    with connection.cursor() as cursor:
        cursor.execute(check.sql)
        (wanted,) = cursor.fetchone()
    return {"page": _plain(shown), "sql": _plain(wanted), "statement": check.sql}


def _plain(value: Any) -> Any:
    return value if isinstance(value, int | str) else float(value)
