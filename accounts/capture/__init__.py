"""Change capture: every write to a row that rules read leaves what it touched, in the writer's own transaction.

Database triggers write the rows, whoever writes by whatever way (docs/change-capture.md). A refresh takes them by
deletion (`take`), finds the members whose verdict may differ (`climb`) and evaluates those.
"""

from .climbing import Reads, climb
from .taken import Change, Taken

__all__ = ["Change", "Reads", "Taken", "climb"]
