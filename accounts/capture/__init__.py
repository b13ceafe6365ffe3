"""Change capture: every write to a row that rules read leaves what it touched, in the writer's own transaction.

Database triggers write the rows, whoever writes by whatever way (docs/change-capture.md). A refresh takes them by
deletion (`take`), finds the members whose verdict may differ (`climb`) and evaluates those.
"""

from .climbing import Reads, climb, step_back
from .generation import capture_triggers
from .installing import check_triggers, drop_before_migrations, install_after_migrations, missing_triggers
from .sources import sources_of
from .taken import Change, Taken
from .taking import pending, take, waiting
from .versions import table_versions

__all__ = [
    "Change",
    "Reads",
    "Taken",
    "capture_triggers",
    "check_triggers",
    "climb",
    "drop_before_migrations",
    "install_after_migrations",
    "missing_triggers",
    "pending",
    "sources_of",
    "step_back",
    "table_versions",
    "take",
    "waiting",
]
