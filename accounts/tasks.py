"""Background work on records: each kind of job in a module of its own, registered by its import."""

from . import tasks_files, tasks_imports, tasks_matching, tasks_settings, tasks_work

__all__ = ["tasks_files", "tasks_imports", "tasks_matching", "tasks_settings", "tasks_work"]
