"""How time and other rows wake a rule: what it reads, and whom each moment that passes may change (DESIGN §5)."""

from .declarations import DAILY, NEVER, SLIVER, Undeclared, value_wakes, wakes
from .reading import Reading, Waking, existence_name, reading_of, segment_name

__all__ = [
    "DAILY",
    "NEVER",
    "SLIVER",
    "Reading",
    "Undeclared",
    "Waking",
    "existence_name",
    "reading_of",
    "segment_name",
    "value_wakes",
    "wakes",
]
