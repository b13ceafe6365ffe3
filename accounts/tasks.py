"""Background work on records: each kind of job in a module of its own, registered by its import."""

from . import tasks_imports

__all__ = ["tasks_imports"]
