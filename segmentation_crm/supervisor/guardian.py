"""The guardian: a small process that ends the children should their supervisor vanish.

Run as a script, without Django. It reads "+group" and "-group" lines from its standard input; when that ends
without "bye", the supervisor has died, and every group still listed gets SIGTERM, then SIGKILL.
"""

import os
import signal
import sys
import time

GRACE_SECONDS = 8.0


def _signal_group(group: int, number: int) -> bool:
    """Send the signal; False where nobody is left in the group."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS answers so for a group of zombies.
        return False
    return True


def end_groups(groups: list[int], grace: float) -> None:
    """End process groups, politely first; the last listed was started first and ends last."""
    left = [group for group in groups if _signal_group(group, signal.SIGTERM)]
    deadline = time.monotonic() + grace
    while left and time.monotonic() < deadline:
        time.sleep(0.1)
        left = [group for group in left if _signal_group(group, 0)]
    for group in left:
        _signal_group(group, signal.SIGKILL)


def main() -> None:
    """Keep the list until the supervisor says bye or is gone."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    groups: list[int] = []
    for line in sys.stdin:
        word = line.strip()
        if word == "bye":
            return
        if word.startswith("+"):
            groups.append(int(word[1:]))
        elif word.startswith("-") and int(word[1:]) in groups:
            groups.remove(int(word[1:]))
    end_groups(groups, GRACE_SECONDS)


if __name__ == "__main__":
    main()
