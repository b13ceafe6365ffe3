"""Generated worlds for the tests of the rules: every kind of empty, extremes and oddities, from a seed."""

from .generate import AS_OF, build_world

__all__ = ["AS_OF", "build_world"]
