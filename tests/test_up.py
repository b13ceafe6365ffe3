"""`manage.py up`, with real processes: what starts, ends, is kept, and is left behind (nothing)."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import database
from tests.support.processes import ROOT, free_port, wait_until

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("up"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc"),
    pytest.mark.skipif(
        os.environ.get("DATABASE_URL", "").startswith("postgres"), reason="the embedded run is SQLite: done there"
    ),
]


class Run:
    """One `manage.py up` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.output = folder / "output.txt"

    def start(self, *options: str, port_option: bool = False, **env: str) -> "Run":
        """Start without a terminal."""
        dropped = ("PYTEST_", "DATABASE_URL", "REDIS_URL", "LOOPBACK_HTTP", "BEHIND_PROXY", "PORT")
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
        port = {} if port_option else {"PORT": str(self.port)}
        own = {"VAR_DIR": str(self.folder / "var"), "PYTHONUNBUFFERED": "1", **port, **env}
        argv = [sys.executable, "manage.py", "up", "--workers", "1", *options]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                argv,
                cwd=ROOT,
                env={**inherited, **own},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    @property
    def text(self) -> str:
        """Return what it has printed."""
        return self.output.read_text(errors="replace")

    def wait_ready(self) -> "Run":
        """Wait for the line with the address."""

        def is_ready() -> bool:
            assert self.process is not None
            if self.process.poll() is not None:
                logs = "\n".join(path.read_text()[-2000:] for path in self.folder.glob("var/log/*.log"))
                pytest.fail(f"`up` ended:\n{self.text}\n{logs}")
            return "is ready" in self.text

        wait_until(is_ready, 150, "the embedded run")
        return self

    def health(self) -> dict[str, str]:
        """Ask /healthz."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as response:
            return json.loads(response.read())

    def processes(self) -> dict[int, str]:
        """Return the living processes that carry this run's folder in their environment or command line."""
        found = {}
        mark = str(self.folder / "var").encode()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit() or int(entry.name) == os.getpid():
                continue
            try:
                stat = (entry / "stat").read_text()
                text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark in text and stat.rpartition(")")[2].split()[0] != "Z":
                found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()[:120]
        return found

    def end(self, number: int = signal.SIGINT, seconds: float = 40) -> float:
        """Send the signal, wait for the end of everything, return the seconds."""
        assert self.process is not None
        began = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=seconds)
        wait_until(lambda: not self.processes(), seconds, f"the end of {self.processes()}")
        return time.monotonic() - began


@pytest.fixture
def run() -> Iterator[Run]:
    """A run whose database is migrated already; whatever it leaves is killed."""
    folder = Path(tempfile.mkdtemp(prefix="crm-up-"))
    database.copy_sqlite(folder / "var" / "crm.sqlite3")
    run = Run(folder)
    yield run
    for pid in run.processes():
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def password_in(text: str) -> str:
    found = re.search(r"password:\s+(\S+)", text)
    assert found, text
    return found[1]


def test_first_start_second_start_and_ctrl_c(run, capfd):
    run.start().wait_ready()
    first = password_in(run.text)
    assert run.health() == {"database": "ok", "broker": "ok", "worker": "ok", "scheduler": "ok", "capture": "ok"}
    kept = run.folder / "var" / "admin_password"
    assert kept.read_text().strip() == first
    assert kept.stat().st_mode & 0o777 == 0o600
    stopped = run.end(signal.SIGINT)
    assert run.process.returncode == 0

    began = time.monotonic()
    run.start().wait_ready()
    warm = time.monotonic() - began
    assert password_in(run.text) == first, "the second start keeps the data"
    # Plain http on loopback: no redirect, no HSTS, a log-in page.
    connection = http.client.HTTPConnection("127.0.0.1", run.port, timeout=10)
    connection.request("GET", "/account/login/")
    response = connection.getresponse()
    assert response.status == 200
    assert response.getheader("Strict-Transport-Security") is None
    again = run.end(signal.SIGTERM)
    with capfd.disabled():
        print(f"\nup: warm start {warm:.1f} s, stop {stopped:.1f} s and {again:.1f} s")


def test_a_killed_parent_leaves_no_orphan(run):
    run.start().wait_ready()
    assert len(run.processes()) >= 5
    run.end(signal.SIGKILL, seconds=30)


def test_a_killed_make_ends_what_it_started(run):
    """`--with-parent`: `make run` killed hard takes the whole installation with it."""
    dropped = ("PYTEST_", "DATABASE_URL", "REDIS_URL")
    env = {k: v for k, v in os.environ.items() if not k.startswith(dropped)}
    env |= {"VAR_DIR": str(run.folder / "var"), "PORT": str(run.port)}
    script = f"import subprocess; subprocess.run({[sys.executable, 'manage.py', 'up', '--with-parent']!r})"
    with run.output.open("wb") as output:
        run.process = subprocess.Popen(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    run.wait_ready()
    run.end(signal.SIGKILL, seconds=30)


def test_dead_children_are_restarted(run):
    run.start().wait_ready()
    for word in ("gunicorn", "celery -A segmentation_crm worker", "celery -A segmentation_crm beat", "valkey"):
        victims = [pid for pid, command in run.processes().items() if word in command]
        os.kill(min(victims), signal.SIGKILL)

    def has_recovered() -> bool:
        try:
            return set(run.health().values()) == {"ok"} and run.text.count("starts again") >= 4
        except OSError:
            return False

    wait_until(has_recovered, 60, "the recovery")
    run.end()


def test_a_taken_port_gets_a_clear_message(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", run.port))
        taken.listen()
        run.start()
        run.process.wait(timeout=60)
    assert run.process.returncode == 1
    assert f"Port {run.port} on 127.0.0.1 cannot be used" in run.text
    assert f"PORT={run.port + 1} make run" in run.text
    assert "Traceback" not in run.text
    assert not run.processes()


@pytest.mark.parametrize(
    ("options", "env", "words"),
    [
        (["--host", "0.0.0.0"], {}, "Plain http is served on this machine only"),
        ([], {"PORT": "http"}, "PORT must be a number"),
    ],
)
def test_what_cannot_be_is_refused_with_words(run, options, env, words):
    run.start(*options, **env)
    run.process.wait(timeout=60)
    assert run.process.returncode == 1
    assert words in run.text
    assert "Traceback" not in run.text


def test_only_one_at_a_time_in_a_folder(run):
    run.start().wait_ready()
    other = Run(run.folder)
    other.output = run.folder / "other.txt"
    other.start()
    other.process.wait(timeout=60)
    assert other.process.returncode == 1
    assert "This installation runs already" in other.text
    run.end()
