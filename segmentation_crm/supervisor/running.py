"""The supervisor's loop: start in order, restart what dies, stop in order."""

import contextlib
import fcntl
import http.client
import json
import os
import signal
import socket
import time
from pathlib import Path
from types import FrameType
from typing import IO

from .children import Child, Guardian, end_with_parent

# A child that dies is back within two seconds, however often.
RESTART_SECONDS = (0.2, 0.5, 1.0, 2.0)
STEADY_AFTER = 30.0
READY_WITHIN = 60.0
# The web server answers first; the others have this long before the address is printed without them.
OTHERS_WITHIN = 15.0


class CannotStart(Exception):
    """The installation cannot run; the message says why and what to do."""


def say(text: str) -> None:
    """Print a line; a terminal that was closed is no reason to stop serving."""
    with contextlib.suppress(OSError):
        print(text, flush=True)  # noqa: T201


def take_lock(var_dir: Path) -> IO[str]:
    """Hold the installation's lock for the life of this process. Raises CannotStart where another holds it."""
    var_dir.mkdir(parents=True, exist_ok=True)
    lock = (var_dir / "up.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        raise CannotStart(
            f"This installation runs already ({lock.read().strip() or 'process unknown'}). Stop it first, or set "
            "VAR_DIR to another folder for a second one."
        ) from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()}")
    lock.flush()
    return lock


def check_port(host: str, port: int) -> None:
    """Raise CannotStart where the address cannot be bound."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(
                f"Port {port} on {host} cannot be used ({error.strerror}). Choose another: PORT={port + 1} make run"
            ) from None


class Supervisor:
    """Runs the children until it is told to stop."""

    def __init__(
        self, first: list[Child], others: list[Child], host: str, port: int, with_parent: bool = False
    ) -> None:
        # `first` (the broker) starts before the others and stops after them.
        self.first, self.others = first, others
        self.host, self.port = host, port
        self._stopping = False
        self._parent = os.getppid() if with_parent else None
        # While the database is prepared a signal breaks that off (each migration is one transaction).
        self.preparing = True
        self._due: dict[str, float] = {}
        self._guardian = Guardian()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        if with_parent:
            end_with_parent()

    def _ask_to_stop(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        if self.preparing:
            self.preparing = False
            raise KeyboardInterrupt

    @property
    def stopping(self) -> bool:
        """Tell whether a signal has asked to stop, or the calling process has ended where that matters."""
        if self._parent is not None and os.getppid() != self._parent:
            self._stopping = True
        return self._stopping

    def start(self, child: Child) -> None:
        """Start one child under the guardian's eyes."""
        self._guardian.add(child.start())

    def run(self) -> None:
        """Keep the children running until a signal comes."""
        while not self.stopping:
            self.tend()
            time.sleep(0.2)

    def tend(self) -> None:
        """Restart what has ended."""
        self._guardian.watch()
        now = time.monotonic()
        for child in [*self.first, *self.others]:
            if child.name in self._due:
                if now >= self._due[child.name]:
                    del self._due[child.name]
                    self.start(child)
                continue
            code = child.exit_code()
            if code is None or child.process is None:
                continue
            self._bury(child)
            child.ends = 0 if now - child.started_at > STEADY_AFTER else child.ends + 1
            pause = RESTART_SECONDS[min(child.ends, len(RESTART_SECONDS) - 1)]
            self._due[child.name] = now + pause
            say(f"{child.name} ended ({_ending(code)}); it starts again. Log: {child.log}")

    def _bury(self, child: Child) -> None:
        child.kill_group()
        if child.process is not None:
            self._guardian.remove(child.process.pid)

    def wait_until_ready(self) -> bool:
        """Wait until the web server answers and, a little longer, until all parts do; False when told to stop.

        Raises CannotStart where the web server does not come up.
        """
        began = time.monotonic()
        answered_at = 0.0
        while not self.stopping:
            parts = self._ask_health()
            now = time.monotonic()
            if parts is not None:
                answered_at = answered_at or now
                down = [name for name, state in parts.items() if state != "ok"]
                if not down:
                    return True
                if now - answered_at > OTHERS_WITHIN:
                    say(f"Not up yet: {', '.join(down)}.")
                    return True
            elif now - began > READY_WITHIN or any(child.ends >= 3 for child in self.others):
                broken = next((child for child in self.others if child.ends >= 3), self.others[0])
                raise CannotStart(f"The {broken.name} does not start. The end of its log:\n{broken.tail()}")
            self.tend()
            time.sleep(0.1)
        return False

    def _ask_health(self) -> dict[str, str] | None:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=6)
        try:
            connection.request("GET", "/healthz", headers={"Host": "localhost"})
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def stop(self) -> None:
        """Stop in order: web, worker and scheduler together, the broker last; then the guardian."""
        self._stop_all(self.others)
        self._stop_all(self.first)
        self._guardian.dismiss()

    def _stop_all(self, children: list[Child]) -> None:
        for child in children:
            child.signal(signal.SIGTERM)
        for child in children:
            deadline = time.monotonic() + child.grace
            while child.exit_code() is None and child.process is not None and time.monotonic() < deadline:
                time.sleep(0.05)
            self._bury(child)


def _ending(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"
