"""The lists of records: filters, columns and rows of accounts, contacts, opportunities, activities and tasks."""

from segmentation_crm.common import lists

from . import accounts, activities, contacts, opportunities, tasks


def register_lists() -> None:
    """Make the lists known by key; called in AppConfig.ready()."""
    for module in (accounts, contacts, opportunities, activities, tasks):
        lists.register(module.LIST)


__all__ = ["register_lists"]
