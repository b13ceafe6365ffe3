"""One byte shared by a worker and its pool: set when the worker is told to end, so that handlers give back."""

import mmap

# Anonymous shared memory, made before the pool forks: the parent's handler of SIGTERM is the only writer.
_flag = mmap.mmap(-1, 1)


def announce_stop() -> None:
    """Ask every handler of this worker to hand its job back at its next check."""
    _flag[0] = 1


def withdraw_stop() -> None:
    """Take the announcement back (a worker that starts anew in the same process, tests)."""
    _flag[0] = 0


def is_stopping() -> bool:
    """Tell whether the worker is ending."""
    return _flag[0] == 1
