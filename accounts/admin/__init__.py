"""Django admin of the records."""

from . import catalogue, records, values

__all__ = ["catalogue", "records", "values"]
