"""What one `take` hands over."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from pyroaring import BitMap

# A take that lists more changes than this leaves the rest out: they are words for people, never verdicts.
MOST_CHANGES = 5000


@dataclass(frozen=True)
class Change:
    """One value that changed, in words for people; the verdict always comes from the record itself.

    table: where it stands. key: of its row where that is a record, else 0. owners: record type -> key of the records
    that the row belongs to after the change. field: column ("tier", "account_id"), of a value row the name of the
    multi field ("buying_roles"), of a custom value "custom:<definition>"; "" for a record made or deleted. old, new: up
    to 100 characters, "" where empty and for the side that is not there. event: "I", "U" or "D".
    """

    table: str
    key: int
    owners: dict[str, int]
    field: str
    old: str
    new: str
    at: datetime
    event: str


@dataclass
class Taken:
    """The change rows that were taken, gathered.

    own: table -> keys of its rows that were made, changed or deleted. owners: table -> record type -> keys of the
    records that those rows belong to or belonged to (old and new foreign keys: a row that moved names both). records:
    record type -> its table. rebuild_all: TRUNCATE, or more than 5 % of the records touched: nothing is listed then,
    rebuild every segment. reference_changed: names of reference data whose change can turn any verdict that reads them,
    as fields name their targets ("term:industry", "code:sic", "stage", "product", "user", "content" …), and
    "organisation", "custom_field", "rates". rows: how many change rows were taken. more: rows are left.
    """

    own: dict[str, BitMap] = field(default_factory=lambda: defaultdict(BitMap))
    owners: dict[str, dict[str, BitMap]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(BitMap)))
    changes: list[Change] = field(default_factory=list)
    rebuild_all: bool = False
    reference_changed: set[str] = field(default_factory=set)
    rows: int = 0
    more: bool = False
    records: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rows)

    @property
    def touched(self) -> dict[str, BitMap]:
        """Return record type -> keys of the changed rows themselves and of the records they belong or belonged to.

        One step up only; `climb` finds the members further away.
        """
        found: dict[str, BitMap] = defaultdict(BitMap)
        for record, table in self.records.items():
            if table in self.own:
                found[record] |= self.own[table]
        for owners in self.owners.values():
            for record, keys in owners.items():
                found[record] |= keys
        return {record: keys for record, keys in found.items() if keys}
