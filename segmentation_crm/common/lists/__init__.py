"""Lists of records: definition, registry, and how parameters become rows.

A list is registered once (`register`, in AppConfig.ready) and used by its page, bulk acts, exports and saved views:
`resolve(get("account"), user, request.GET)`.
"""

from .cells import Cell, amount, badge, figure, link, mail, text, when
from .columns import chosen, keys_wanted
from .definition import YES_NO, Choices, Column, Facet, ListDefinition, of_enum
from .registry import UnknownList, get, keys, register, register_family
from .resolve import NO_VIEW, Resolved, resolve
from .saved_views import saved_views_visible_to
from .tables import Table, column, table

__all__ = [
    "NO_VIEW",
    "YES_NO",
    "Cell",
    "Choices",
    "Column",
    "Facet",
    "ListDefinition",
    "Resolved",
    "Table",
    "UnknownList",
    "amount",
    "badge",
    "chosen",
    "column",
    "figure",
    "get",
    "keys",
    "keys_wanted",
    "link",
    "mail",
    "of_enum",
    "register",
    "register_family",
    "resolve",
    "saved_views_visible_to",
    "table",
    "text",
    "when",
]
