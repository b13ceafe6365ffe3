"""Evidence: why a record is in a segment or not, what would flip it, and who misses it narrowly."""

from .explain import Explanation, explain
from .misses import Miss, nearest_misses

__all__ = ["Explanation", "Miss", "explain", "nearest_misses"]
