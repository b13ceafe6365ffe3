"""Child processes: each in a process group of its own, logged to a file, ended whole."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

LOG_LIMIT_BYTES = 5 * 1024 * 1024
PR_SET_PDEATHSIG = 1


@dataclass
class Child:
    """One process that is kept running: how it starts, and how long it may take to end."""

    name: str
    argv: list[str]
    log: Path
    env: dict[str, str] = field(default_factory=dict)
    grace: float = 10.0
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    ends: int = 0

    def start(self) -> int:
        """Start the process in a group of its own; return its number, which is the group's too."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                env={**os.environ, **self.env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_tied_to_parent(),
            )
        self.started_at = time.monotonic()
        return self.process.pid

    def exit_code(self) -> int | None:
        """Return how the process ended, None while it runs."""
        return None if self.process is None else self.process.poll()

    def signal(self, number: int) -> None:
        """Send a signal to the process itself; its pool is its own affair."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def kill_group(self) -> None:
        """End whatever is left of the group at once: children of a child that crashed work without a parent."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of the log."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""


def end_with_parent() -> None:
    """On Linux, have the kernel send this process SIGTERM when its parent dies; elsewhere do nothing."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _tied_to_parent() -> Callable[[], None]:
    """Return what a child runs before its program: the tie, should the guardian be dead as well."""
    parent = os.getpid()

    def tie() -> None:
        end_with_parent()
        if os.getppid() != parent:  # it died in between
            os._exit(1)

    return tie


class Guardian:
    """The supervisor's end of the pipe to `guardian.py`."""

    def __init__(self) -> None:
        self._groups: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("guardian.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for group in self._groups:
            self._tell(f"+{group}")

    def _tell(self, line: str) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{line}\n".encode())
            self._process.stdin.flush()
        except OSError:
            # It has ended; `watch` starts another, with the whole list.
            pass

    def add(self, group: int) -> None:
        """Put a group into the guardian's care."""
        self._groups.append(group)
        self._tell(f"+{group}")

    def remove(self, group: int) -> None:
        """Take a group out: it has ended, and its number may come again."""
        if group in self._groups:
            self._groups.remove(group)
            self._tell(f"-{group}")

    def watch(self) -> None:
        """Replace a guardian that has ended."""
        if self._process is not None and self._process.poll() is not None:
            self._start()

    def dismiss(self) -> None:
        """Say that everything has ended in order."""
        self._tell("bye")
        if self._process is not None and self._process.stdin is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait(timeout=5)
