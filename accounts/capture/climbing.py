"""From what was touched to the members whose verdict may differ, along the paths by which a rule reads.

Correct by induction over the paths: a record's value over a step differs only where a link changed, whose row names the
old and the new owner, or where a linked record differs that is linked now, which the step backwards finds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pyroaring import BitMap

from .taken import Taken

Step = tuple[str, str]


@dataclass
class Reads:
    """What a rule reads of one record, and the steps from it to others: a tree whose root is the member type.

    record: prefix ("contact"). tables: tables whose rows about this record are read ("accounts_contactvalue",
    "accounts_fieldhistory"; the record's own always counts); any other name in it is looked up in the `extra` of
    `climb` ("segment:tier-1"). steps: ("to_one", foreign key of the record's model: "account", "parent_account") or
    ("relation", its key: "account.contacts") -> what is read of the records there.
    """

    record: str
    tables: set[str] = field(default_factory=set)
    steps: dict[Step, "Reads"] = field(default_factory=dict)

    def step(self, kind: str, name: str, record: str) -> "Reads":
        """Return the record reached by a step, made where it is not there yet."""
        return self.steps.setdefault((kind, name), Reads(record))

    def merge(self, other: "Reads") -> None:
        """Add what another tree over the same record reads."""
        self.tables |= other.tables
        for step, below in other.steps.items():
            self.steps.setdefault(step, Reads(below.record)).merge(below)


def climb(reads: Reads, taken: Taken, extra: Mapping[str, BitMap] | None = None) -> BitMap:
    """Return the keys of the members whose verdict may differ: a superset (at most 1 query a step).

    extra: name in `Reads.tables` -> keys of the record at that place that differ for another reason: who entered or
    left a segment ("segment:<slug>"), whom a sliver of time nominates. Deleted members are among the keys.
    """
    raise NotImplementedError
