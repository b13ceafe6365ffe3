"""Which kinds of job there are, and what runs by the clock.

Handlers live in `<app>/tasks.py` and are registered at import; the modules are loaded at first use, in every
process, so that a web process refuses an unknown kind instead of writing a row nobody can run.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.module_loading import autodiscover_modules

from .errors import UnknownKind

if TYPE_CHECKING:
    from .running import JobRun

Handler = Callable[["JobRun"], dict[str, Any] | None]


@dataclass(frozen=True)
class Kind:
    """One registered kind: its handler, queue, title, and the payload versions the handler understands."""

    name: str
    handler: Handler
    queue: str = "default"
    title: str = ""
    version: int = 1
    oldest_version: int = 1


@dataclass(frozen=True)
class Scheduled:
    """Work that starts by the clock: daily at a local time, or every so many seconds."""

    kind: str
    daily: str = ""
    every: int = 0
    key: str = ""
    payload: dict[str, Any] = field(default_factory=dict)
    only_if: Callable[[], bool] | None = None


_kinds: dict[str, Kind] = {}
_scheduled: dict[str, Scheduled] = {}
_loading = threading.RLock()
_loaded = False


def register(
    kind: str, *, queue: str = "default", title: str = "", version: int = 1, oldest_version: int = 1
) -> Callable[[Handler], Handler]:
    """Register the decorated function as the handler of `kind` ("segment.rebuild").

    `title` names a job that gets none of its own. Bump `version` when the payload changes its meaning; jobs of a
    version outside oldest_version…version are parked with words. Raises ValueError for a kind registered twice
    and for an unknown queue.
    """
    if queue not in settings.JOB_QUEUES:
        raise ValueError(f"Unknown queue {queue!r}: one of {', '.join(settings.JOB_QUEUES)}.")

    def decorate(handler: Handler) -> Handler:
        known = _kinds.get(kind)
        if known is not None and known.handler.__qualname__ != handler.__qualname__:
            raise ValueError(f"Job kind {kind!r} has a handler already.")
        _kinds[kind] = Kind(kind, handler, queue, title, version, oldest_version)
        return handler

    return decorate


def schedule(
    kind: str,
    *,
    daily: str = "",
    every: int = 0,
    key: str = "scheduled",
    payload: dict[str, Any] | None = None,
    only_if: Callable[[], bool] | None = None,
) -> None:
    """Start a job of `kind` by the clock: `daily="02:30"` in the organisation's time zone, or `every` seconds.

    Each slot starts once however many schedulers run; after an outage only the latest slot is caught up. `only_if`
    says by a cheap query whether there is anything to do; where there is not, no job is written.
    Raises ValueError unless exactly one of the two is given and readable.
    """
    if bool(daily) == bool(every) or every < 0:
        raise ValueError('Give either daily="HH:MM" or every=seconds.')
    if daily:
        hour, _, minute = daily.partition(":")
        if not (hour.isdigit() and minute.isdigit() and int(hour) < 24 and int(minute) < 60):
            raise ValueError(f'{daily!r} is no time of day; write "02:30".')
    _scheduled[f"{kind}:{key}"] = Scheduled(kind, daily, every, key, payload or {}, only_if)


def _load() -> None:
    """Import every app's `tasks` module once."""
    global _loaded
    with _loading:
        if not _loaded:
            autodiscover_modules("tasks")
            for module in settings.EXTRA_JOB_MODULES:
                import_module(module)
            _loaded = True


def kind_named(name: str) -> Kind:
    """Return the registered kind; raises UnknownKind."""
    if name not in _kinds:
        _load()
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"No handler is registered for jobs of kind {name!r}.") from None


def scheduled() -> dict[str, Scheduled]:
    """Return what runs by the clock, by name."""
    _load()
    return dict(_scheduled)
