"""Who holds a lease: a process of this machine, told apart from a later one with the same number."""

import functools
import os
import socket
from pathlib import Path


@functools.cache
def _place() -> str:
    """Return what makes process numbers comparable: host name and, on Linux, the process namespace."""
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        namespace = 0
    return f"{socket.gethostname()[:60]}/{namespace}"


def _start_ticks(pid: int) -> str:
    """Return when the process started, "" where the system does not say or the process is gone or a zombie."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    fields = text.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def identity() -> str:
    """Return this process's name for `Job.claimed_by`: place, number, start."""
    pid = os.getpid()
    return f"{_place()}:{pid}:{_start_ticks(pid)}"


def is_gone(claimed_by: str) -> bool:
    """Tell whether the process is known to have ended: only for processes of this machine, else False."""
    place, _, rest = claimed_by.partition(":")
    number, _, started = rest.partition(":")
    if place != _place() or not number.isdigit():
        return False
    if Path("/proc/self/stat").exists():
        return _start_ticks(int(number)) != started
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
