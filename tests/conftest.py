"""What every test gets: quick settings, a database other processes can join, no bell that reaches a real broker.

Fixtures that start real processes stand in tests/support/processes.py.
"""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as project_settings
from django.test import TransactionTestCase
from django.test.utils import setup_databases, teardown_databases

from segmentation_crm.common.jobs import bell
from tests.support import database

# Playwright's event loop lives in the thread of the test, which also uses the ORM.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

pytest_plugins = ["tests.support.processes", "tests.support.smtp"]

_IS_SQLITE = project_settings.DATABASES["default"]["ENGINE"].endswith("sqlite3")
_FOLDER = Path(tempfile.mkdtemp(prefix="crm-tests-", dir="/dev/shm" if os.path.isdir("/dev/shm") else None))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of the test database and uploads."""
    shutil.rmtree(_FOLDER, ignore_errors=True)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Write the names of what failed for `tests.run`, which runs a few a second time alone."""
    target = os.environ.get("FAILED_TESTS_FILE")
    reports = [*terminalreporter.getreports("failed"), *terminalreporter.getreports("error")]
    if target and reports:
        names = sorted({report.nodeid for report in reports if hasattr(report, "nodeid")})
        Path(target).write_text("\n".join(name.removesuffix("@live") for name in names))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what starts real processes, and keep it in one of xdist's processes: one set of servers is enough."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if "live" in used:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.xdist_group("live"))
        if "page" in used:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Give this process a copy of the migrated template: SQLite's in a file that worker and web server join."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    values = project_settings.DATABASES["default"]
    base = f"test_{values['NAME']}"
    name = str(_FOLDER / "test.sqlite3") if _IS_SQLITE else f"{base}_{worker}"
    values.setdefault("TEST", {})["NAME"] = name
    with django_db_blocker.unblock():
        if _IS_SQLITE:
            database.copy_sqlite(Path(name))
        else:
            database.copy_postgres(base, name)
        before = setup_databases(verbosity=0, interactive=False, keepdb=True, serialized_aliases=[])
        database.remember()
    # After a transactional test the migrations' own rows stand again, in a fraction of a flush's time.
    TransactionTestCase._fixture_teardown = lambda self: database.refill()
    yield
    with django_db_blocker.unblock():
        if _IS_SQLITE:
            teardown_databases(before, verbosity=0)
        else:
            database.drop_postgres(name)


@pytest.fixture(autouse=True)
def quick_settings(settings, tmp_path: Path) -> None:
    """Plain http, cheap password hashes, a cache in this process, uploads in the test's own folder."""
    settings.SECURE_SSL_REDIRECT = False
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.MEDIA_ROOT = tmp_path / "uploads"


@pytest.fixture(autouse=True)
def clean_cache(quick_settings: None) -> None:
    """Forget what an earlier test cached: rate limits, versions."""
    from django.core.cache import cache

    cache.clear()


@pytest.fixture(autouse=True)
def rung(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[int, str]]]:
    """Record (job id, queue) of each bell instead of ringing; `live` fixtures ring for real."""
    bells: list[tuple[int, str]] = []
    monkeypatch.setattr(bell, "_publish", lambda job_id, queue: bells.append((job_id, queue)))
    yield bells
    bell.reset_circuit()
