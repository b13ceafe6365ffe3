"""Django admin of the records."""

from . import catalogue, kept, records, values

__all__ = ["catalogue", "kept", "records", "values"]
