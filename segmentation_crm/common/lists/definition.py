"""What a list of records is: its rows, filters and their controls, the columns one can choose, its order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import django_filters
from django.db.models import QuerySet

from ..access import AnyUser, can
from .cells import Cell

Choices = Sequence[tuple[str, str]]
YES_NO: Choices = [("true", "Yes"), ("false", "No")]


@dataclass(frozen=True)
class Column:
    """A column that one can choose.

    cell: what it shows of a row. sort: the parameter of the FilterSet's ordering (none: unsortable). export: the plain
    value of a file (str, int, Decimal, date, datetime, None), else the cell's value. personal: an e-mail address or
    telephone number, which roles without "records.export_personal" get in no file. default: shown until one chooses.
    """

    key: str
    label: str
    cell: Callable[[Any], Cell]
    sort: str = ""
    numeric: bool = False
    export: Callable[[Any], Any] | None = None
    personal: bool = False
    default: bool = True
    group: str = ""

    def plain(self, row: Any) -> Any:
        """Return the value of a file: str, int, Decimal, date, datetime or None."""
        if self.export is not None:
            return self.export(row)
        value = self.cell(row)["value"]
        return None if value == "" else value


@dataclass(frozen=True)
class Facet:
    """A filter's control: a select, a search in a long list, or an input; `main` ones stand in the toolbar.

    options: the address that searches choices too many for a select; `naming` gives the words of chosen values then.
    """

    name: str
    label: str
    choices: Callable[[], Choices] | None = None
    type: str = "text"
    main: bool = False
    options: Callable[[], str] | None = None
    naming: Callable[[Sequence[str]], dict[str, str]] | None = None


@dataclass(frozen=True)
class ListDefinition:
    """A list: base(user) are the rows a user may see, with what every column reads joined.

    columns(user, rows): the columns for these rows, which may be filled in later; what needs a query of its own is read
    for all rows at once, and only when a cell asks for it. rule_record: the member type of rules over this list, "" for
    none. start: the filters it opens with where no view does. joins: which of the relations that `base` joins a column
    reads; a page joins those of its columns alone (planning seven joins costs PostgreSQL more than reading the rows),
    all where it is empty. keys_first: an index holds what decides who sees a row, and a page finds its rows by it.
    """

    key: str
    label: str
    unit: str
    unit_plural: str
    url_name: str
    base: Callable[[AnyUser], QuerySet[Any]]
    filterset: type[django_filters.FilterSet]
    columns: Callable[[AnyUser, Sequence[Any]], Sequence[Column]]
    facets: Sequence[Facet]
    ordering: str
    rule_record: str = ""
    search_label: str = "Search"
    start: Mapping[str, str] = field(default_factory=dict)
    joins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keys_first: bool = False

    def joined(self, rows: QuerySet[Any], columns: Sequence[Column]) -> QuerySet[Any]:
        """Return the rows with what these columns and the order read joined (0 queries)."""
        if not self.joins:
            return rows
        wanted = {name for column in columns for name in self.joins.get(column.key, ())}
        # The cursor of the next page reads the order from the row.
        orders = (str(term).lstrip("-") for term in rows.query.order_by)
        wanted |= {term.rpartition("__")[0] for term in orders if "__" in term}
        bare = rows.select_related(None)
        return bare.select_related(*sorted(wanted)) if wanted else bare

    def exportable(self, user: AnyUser, rows: Sequence[Any] = ()) -> list[Column]:
        """Return the columns that the user may take away in a file (as many queries as `columns`)."""
        personal = can(user, "records.export_personal")
        return [column for column in self.columns(user, rows) if personal or not column.personal]


def of_enum(enumeration: Any) -> Callable[[], Choices]:
    """Return the choices of a closed list."""
    return lambda: [(str(value), str(label)) for value, label in enumeration.choices if value]
