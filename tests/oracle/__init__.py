"""The oracle: the rule language evaluated slowly and obviously over plain dict rows, one record at a time.

It imports nothing of the compiler, the clock or the bitmaps; where they disagree with it, one of them is wrong.
"""

from .rules import Oracle
from .world import World, load_world

__all__ = ["Oracle", "World", "load_world"]
