"""The options of one import, the same for command, page and API."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class ImportOptions:
    """How a file is to be imported; stored as JSON with the import."""

    type: str
    map: dict[str, str] = field(default_factory=dict)
    guess: bool = True
    key: str = ""
    create_fields: bool = False
    create_accounts: bool = False
    nulls: tuple[str, ...] = ()
    source: str = "import"
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    decimal: str = ""
    date_order: str = ""
    # Whether each value's source is kept, and whether it was asked for by ourselves or read elsewhere.
    sources: bool = True
    source_type: str = "secondary"

    def as_json(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        return {**asdict(self), "nulls": list(self.nulls)}

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> "ImportOptions":
        """Return the options stored; keys of other versions are left out."""
        known = {name: raw[name] for name in cls.__dataclass_fields__ if name in raw}
        return cls(**{**known, "nulls": tuple(known.get("nulls", ()))})
