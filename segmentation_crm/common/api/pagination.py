"""Lists in pages by key: no counts, no offsets, as fast on the thousandth page as on the first."""

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.core import signing
from django.core.exceptions import FieldDoesNotExist
from django.db.models import F, Field, Model, Q, QuerySet
from django.db.models.expressions import OrderBy
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

if TYPE_CHECKING:
    from rest_framework.views import APIView

_SALT = "api.cursor"
DEFAULT_PAGE_SIZE = 50
MAX_PAGE_SIZE = 200
Term = tuple[str, bool]  # column path, descending


class KeysetPagination(BasePagination):
    """`{next, previous, results}`; `page_size` up to 200; `cursor` is opaque and bound to the ordering.

    The order comes from the queryset (`order_by` names), else from `view.default_ordering`, else the id; the
    primary key is always its last term. Empty values come last, both ways, on every database.
    """

    cursor_query_param = "cursor"
    page_size_query_param = "page_size"
    keys_first = False

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any]:
        """Return the rows of the page (1 query; 2 where the rows without a value in the first column begin on it).

        Raises ValidationError naming `cursor` or `page_size`.
        """
        self.request = request
        self.order = ordering_of(queryset, getattr(view, "default_ordering", ()))
        size = self.page_size(request)
        text = request.query_params.get(self.cursor_query_param)
        backwards, values = self._read_cursor(text, queryset.model) if text else (False, None)
        rows = read_page(queryset, self.order, values, backwards, size + 1, self.keys_first)
        more = len(rows) > size
        rows = rows[:size]
        if backwards:
            rows.reverse()
        self.has_previous = more if backwards else values is not None
        self.has_next = True if backwards else more
        self.rows = rows
        return rows

    @classmethod
    def page_size(cls, request: Request) -> int:
        """Return the page size asked for, capped at 200.

        Raises ValidationError for anything but a positive whole number.
        """
        text = request.query_params.get(cls.page_size_query_param)
        if text is None:
            return DEFAULT_PAGE_SIZE
        if not (text.isascii() and text.isdigit()) or not int(text[:12]):
            raise ValidationError({cls.page_size_query_param: "Give a whole number from 1 to 200."}, "invalid")
        return min(int(text[:12]), MAX_PAGE_SIZE)

    def get_paginated_response(self, data: Any) -> Response:
        """Wrap the page."""
        return Response({"next": self._link(False), "previous": self._link(True), "results": data})

    def _link(self, backwards: bool) -> str | None:
        if not self.rows or not (self.has_previous if backwards else self.has_next):
            return None
        row = self.rows[0] if backwards else self.rows[-1]
        values = [_plain(_value(row, name)) for name, _ in self.order]
        cursor = signing.dumps(
            {"o": _order_text(self.order), "b": int(backwards), "v": values}, salt=_SALT, compress=True
        )
        url = remove_query_param(self.request.build_absolute_uri(), self.cursor_query_param)
        return replace_query_param(url, self.cursor_query_param, cursor)

    def _read_cursor(self, text: str, model: type[Model]) -> tuple[bool, list[Any]]:
        try:
            data = signing.loads(text, salt=_SALT)
        except signing.BadSignature:
            raise ValidationError({"cursor": "Not a cursor of this list; start without one."}, "invalid") from None
        if data["o"] != _order_text(self.order):
            raise ValidationError({"cursor": "The cursor belongs to another ordering; start without one."}, "invalid")
        return bool(data["b"]), data["v"]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Describe a page for OpenAPI."""
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Describe the parameters for OpenAPI."""
        return [
            {
                "name": self.cursor_query_param,
                "in": "query",
                "required": False,
                "description": "Where the page begins: taken from `next` or `previous` of another page.",
                "schema": {"type": "string"},
            },
            {
                "name": self.page_size_query_param,
                "in": "query",
                "required": False,
                "description": "Rows a page, 50 unless given; more than 200 are given as 200.",
                "schema": {"type": "integer", "minimum": 1},
            },
        ]


def ordering_of(queryset: QuerySet, default: tuple[str, ...] = ()) -> list[Term]:
    """Return the order of the queryset, or the default, as column paths ending in the primary key."""
    named = [entry for entry in queryset.query.order_by if isinstance(entry, str)] or list(default)
    terms = [(name.lstrip("-"), name.startswith("-")) for name in named if name.lstrip("-") not in ("pk", "id")]
    keys = [name.startswith("-") for name in named if name.lstrip("-") in ("pk", "id")]
    if keys:
        descending = keys[0]
    else:
        descending = terms[-1][1] if terms else False
    return [*terms, ("pk", descending)]


def read_page(
    queryset: QuerySet,
    order: list[Term],
    values: list[Any] | None,
    backwards: bool,
    size: int,
    keys_first: bool = False,
) -> list[Any]:
    """Return so many rows in order, after (backwards: before) the values (1 query, at most 2).

    Rows with and without a value in the first column are read apart where it is a column of the table: in each part
    the order is one that an index has, while PostgreSQL sorts all rows for NULLS LAST. keys_first: see `_first`.
    """
    model, (first, _) = queryset.model, order[0]
    if first == "pk" or not _is_empty_column(model, first):
        part = _part(queryset, order, values, backwards, frozenset())
        return list(_first(part, size) if keys_first else part[:size])
    filled = queryset.filter((f"{first}__isnull", False))
    empty = queryset.filter((f"{first}__isnull", True))
    in_empty = values is not None and values[0] is None
    rest = None if values is None or not in_empty else values[1:]
    if backwards:
        rows = list(_part(empty, order[1:], rest, True, frozenset())[:size]) if in_empty else []
        start = None if in_empty else values
        more = _part(filled, order, start, True, frozenset({first}))
    else:
        rows = [] if in_empty else list(_part(filled, order, values, False, frozenset({first}))[:size])
        more = _part(empty, order[1:], rest, False, frozenset())
    return rows if len(rows) == size else rows + list(more[: size - len(rows)])


def _first(rows: QuerySet, size: int) -> QuerySet:
    """Return the first rows, found by their keys in one query inside the other.

    Where few of the rows are wanted and an index holds all that decides it, as for the activities a rep sees, the
    database walks the index and reads from the table, and joins, only these. The rows may hold no annotations.
    """
    keys = rows.select_related(None).values("pk")[:size]
    found = rows.model._default_manager.filter(pk__in=keys).order_by(*rows.query.order_by)
    found.query.select_related = rows.query.select_related
    return found


def _part(
    rows: QuerySet, order: list[Term], values: list[Any] | None, backwards: bool, filled: frozenset[str]
) -> QuerySet:
    """Return the rows in order after the values; `filled` columns are never empty in these rows."""
    rows = rows.order_by(*(order_term(term, backwards, rows.model, filled) for term in order))
    return rows if values is None else rows.filter(after(order, values, backwards, rows.model, filled))


def order_term(term: Term, backwards: bool, model: type[Model], filled: frozenset[str] = frozenset()) -> OrderBy:
    """Return the ORDER BY term; empty values last, or first when the page is read backwards.

    A column that is never empty gets no NULLS clause: PostgreSQL would not use its index for one.
    """
    name, descending = term
    if name in filled or not _may_be_empty(model, name):
        return OrderBy(F(name), descending=descending != backwards)
    places = {"nulls_first": True} if backwards else {"nulls_last": True}
    return OrderBy(F(name), descending=descending != backwards, **places)  # type: ignore[arg-type]


def after(
    order: list[Term], values: list[Any], backwards: bool, model: type[Model], filled: frozenset[str] = frozenset()
) -> Q:
    """Return the condition "comes after these values" (before, when backwards).

    (a > x) or (a = x and b > y) …; where the first column is never empty also a >= x, from which the database
    finds where to begin in the index.
    """
    result = Q(pk__in=[])
    same = Q()
    for (name, descending), raw in zip(order, values, strict=True):
        value = raw if name == "pk" else _typed(model, name, raw)
        may_be_empty = name not in filled and _may_be_empty(model, name)
        result |= same & _beyond(name, descending != backwards, value, backwards, may_be_empty)
        same &= Q((f"{name}__isnull", True)) if value is None else Q((name, value))
    first, descending = order[0]
    if first == "pk" or (first not in filled and _may_be_empty(model, first)):
        return result
    bound = Q((f"{first}__{'lte' if descending != backwards else 'gte'}", _typed(model, first, values[0])))
    return bound & result


def _beyond(name: str, downwards: bool, value: Any, backwards: bool, may_be_empty: bool) -> Q:
    if value is None:
        return Q((f"{name}__isnull", False)) if backwards else Q(pk__in=[])
    beyond = Q((f"{name}__{'lt' if downwards else 'gt'}", value))
    return beyond | Q((f"{name}__isnull", True)) if may_be_empty and not backwards else beyond


def _may_be_empty(model: type[Model], name: str) -> bool:
    """Tell whether the column can be NULL; one that is no column (an annotation) may be."""
    if name == "pk":
        return False
    for part in name.split("__"):
        try:
            field: Any = model._meta.get_field(part)
        except FieldDoesNotExist:
            return True
        if field.null:
            return True
        model = field.related_model or model
    return False


def _is_empty_column(model: type[Model], name: str) -> bool:
    """Tell whether the name is a column of the table itself that can be NULL."""
    return (
        "__" not in name
        and name in {field.name for field in model._meta.concrete_fields}
        and _may_be_empty(model, name)
    )


def _value(row: Any, name: str) -> Any:
    for part in name.split("__"):
        row = row.get(part) if isinstance(row, dict) else getattr(row, part, None)
    return row


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _typed(model: type[Model], name: str, value: Any) -> Any:
    """Return the value as the column's type; annotations take it as it stands."""
    field: Field | None = None
    for part in name.split("__"):
        try:
            field = model._meta.get_field(part)  # type: ignore[assignment]
        except FieldDoesNotExist:
            return value
        if getattr(field, "related_model", None):
            model = field.related_model  # type: ignore[union-attr,assignment]
    return value if value is None or field is None or field.is_relation else field.to_python(value)


def _order_text(order: list[Term]) -> str:
    return ",".join(("-" if descending else "") + name for name, descending in order)
