"""Sessions of the builder: the moment and the data version that a chain of edits is counted at (DESIGN §4).

Every distinct atom that a session has asked is kept as a bitmap in the cache; an edit evaluates only the atom it
changed, an edit of the structure none. A session ends by itself after a while; "refresh" starts a new one.
"""

import hashlib
import re
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.core.cache import cache
from django.db.models import Max
from django.utils.dateparse import parse_datetime
from pyroaring import BitMap

from accounts.capture import table_versions
from accounts.capture.sources import collect
from segmentation_crm.common.fields import registry

from ..models import SegmentRun
from .clock import Clock

KEPT_SECONDS = 15 * 60
# An edit that reads no data asks at most so often whether data have changed.
VERSION_SECONDS = 1
_VERSION = "rule-data-version"
_TEXT = re.compile(r"(?P<at>[0-9T:.+\-Z]{20,40})~(?P<version>[0-9a-f]{40})")


class BadSession(ValueError):
    """A session that this product did not hand out."""

    message = "Send back `session` exactly as the last preview gave it, or leave it out to count anew."

    def __init__(self) -> None:
        super().__init__(self.message)


@dataclass(frozen=True)
class Session:
    """The moment and the version of all data that rules read, as they were when the session began."""

    as_of: datetime
    version: str

    @property
    def text(self) -> str:
        """Return what the next preview of this session sends back."""
        return f"{self.as_of.astimezone(UTC).isoformat()}~{self.version}"


def begin(clock: Clock) -> Session:
    """Return a session at this moment over the data as it is now (2 queries)."""
    return Session(clock.as_of, data_version())


def has_changed(session: Session, *, has_read: bool) -> bool:
    """Tell whether data have changed since the session began (0 to 2 queries).

    has_read: whether the caller has just read data; else an answer that is up to a second old will do.
    """
    known = None
    if not has_read:
        try:
            known = cache.get(_VERSION)
        except Exception:  # any fault of a cache means "not kept"
            known = None
    if known is None:
        known = data_version()
        _put(_VERSION, known, VERSION_SECONDS)
    return bool(known != session.version)


def resume(text: str) -> Session | None:
    """Return the session that a preview handed out; None where it has ended, so that a new one begins.

    Raises BadSession for any other text. Who makes one up finds an empty cache, never another's records: what a
    session keeps are keys, and what is shown of them is narrowed to the viewer each time.
    """
    match = _TEXT.fullmatch(text)
    try:
        at = parse_datetime(match["at"]) if match else None
    except ValueError:
        at = None
    if match is None or at is None or at.tzinfo is None:
        raise BadSession
    if cache.get(_begun_key(Session(at, match["version"]))) is None:
        return None
    return Session(at, match["version"])


def data_version() -> str:
    """Return a text that differs whenever a commit changed what rules read, members of segments too (2 queries)."""
    versions = table_versions(_sources(tuple(sorted({one.record for one in registry.custom_fields()}))))
    runs = SegmentRun.objects.aggregate(last=Max("pk"))["last"]
    text = repr((sorted(versions.items()), runs))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=8)
def _sources(with_custom_fields: tuple[str, ...]) -> frozenset[str]:
    """Return the names of all that any rule reads; custom fields bring their value tables."""
    found = collect()
    return frozenset(found.sources) | frozenset(found.referred)


def _begun_key(session: Session) -> str:
    return f"rule-session:{hashlib.sha1(session.text.encode(), usedforsecurity=False).hexdigest()}"


class SessionAtoms(MutableMapping[Any, BitMap]):
    """The atoms of one session and member type: in this process while it evaluates, in the cache between edits.

    Where the cache fails, every atom is evaluated anew: slower, never wrong.
    """

    def __init__(self, session: Session, member_type: str, clock: Clock) -> None:
        self._held: dict[Any, BitMap] = {}
        settings = repr((member_type, str(clock.zone), clock.fiscal_month, clock.size_limits))
        text = f"{session.text}|{settings}"
        self._prefix = f"rule-atom:{hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()}"
        self._begun = _begun_key(session)
        self._is_reachable = _put(self._begun, b"1")

    def _name(self, key: Any) -> str:
        return f"{self._prefix}:{hashlib.sha1(repr(key).encode(), usedforsecurity=False).hexdigest()}"

    def _find(self, key: Any) -> BitMap | None:
        if key not in self._held and self._is_reachable:
            try:
                packed = cache.get(self._name(key))
                if packed is not None:
                    self._held[key] = BitMap.deserialize(packed)
            except Exception:  # any fault of a cache means "not kept"
                self._is_reachable = False
        return self._held.get(key)

    def __contains__(self, key: object) -> bool:
        return self._find(key) is not None

    def __getitem__(self, key: Any) -> BitMap:
        found = self._find(key)
        if found is None:
            raise KeyError(key)
        return found

    def __setitem__(self, key: Any, keys: BitMap) -> None:
        self._held[key] = keys
        if self._is_reachable:
            self._is_reachable = _put(self._name(key), keys.serialize())

    def __delitem__(self, key: Any) -> None:
        del self._held[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _put(name: str, value: bytes | str, seconds: int = KEPT_SECONDS) -> bool:
    try:
        cache.set(name, value, timeout=seconds)
    except Exception:  # any fault of a cache means "not kept"
        return False
    return True
