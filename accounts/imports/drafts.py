"""What one row becomes while it is read, and what cleaning needs to know of the file."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .problems import Finding
from .rows import Row

if TYPE_CHECKING:
    from .targets import Target


@dataclass(frozen=True)
class Reading:
    """How this file writes numbers and dates, settled before its first row is written."""

    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    decimal: str = "point"
    date_order: dict[str, str] = field(default_factory=dict)
    nulls: frozenset[str] = frozenset()

    def order(self, target: str) -> str:
        """Return the order of numeric dates in the column mapped to the target."""
        return self.date_order.get(target, self.date_order.get("", ""))


@dataclass(slots=True)
class Draft:
    """A row on its way into a record."""

    row: Row
    columns: dict[str, Any] = field(default_factory=dict)
    texts: dict["Target", str] = field(default_factory=dict)
    multi: dict[tuple[str, str], list[Any]] = field(default_factory=dict)
    custom: dict[int, list[Any]] = field(default_factory=dict)
    later: dict["Target", str] = field(default_factory=dict)
    external_id: str = ""
    row_key: str = ""
    key: Any = None
    findings: list[Finding] = field(default_factory=list)
    is_rejected: bool = False
    record: Any = None
    outcome: str = ""
    # What the changed columns of a known record held before.
    was: dict[str, Any] = field(default_factory=dict)
    # A second row with the same key only fills what the first one left empty.
    only_fills: bool = False
    followers: list["Draft"] = field(default_factory=list)

    def reject(self, column: str, code: str, message: str, text: str = "") -> None:
        """Mark the row as rejected, with the reason."""
        self.is_rejected = True
        self.findings.append(Finding(column, code, message, text))

    def warn(self, column: str, code: str, message: str, text: str = "") -> None:
        """Keep a warning and the text it is about with the row."""
        self.findings.append(Finding(column, code, message, text))
