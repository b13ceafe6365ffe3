"""A small seeded company to look around in; every record carries source "demo" and can be removed again."""

from .load import SOURCE, is_loaded, load, remove

__all__ = ["SOURCE", "is_loaded", "load", "remove"]
