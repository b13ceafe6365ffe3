"""From the parameters of a list to its rows: saved view, search, filters, rule, sort; for pages, jobs and bulk acts."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from django.db.models import QuerySet
from django.http import QueryDict
from django_filters import FilterSet

from ..access import AnyUser
from ..models import SavedView
from ..rule_engine import BrokenRule, engine
from .definition import ListDefinition
from .saved_views import find_view, query_of

# Parameters of the page that are no filters. `view=all` is the list without any view.
PAGE_PARAMETERS = frozenset({"cursor", "page_size"})
RESERVED = PAGE_PARAMETERS | {"view", "rules", "columns"}
NO_VIEW = "all"
NO_RULE = "none"


@dataclass(frozen=True)
class Resolved:
    """A list as shown: the rows (none where `errors`), and the parameters that give the same list again.

    `params` hold all that is in force, without cursor: search, filters, ordering, columns, the view, and `rules` (JSON)
    where they are not the view's own. A parameter that takes away what the view filters stands there empty.
    """

    definition: ListDefinition
    queryset: QuerySet[Any]
    params: QueryDict
    errors: list[str] = field(default_factory=list)
    view: SavedView | None = None
    rules: dict[str, Any] | None = None
    sentence: str = ""

    @property
    def query(self) -> str:
        """Return the parameters as a query string."""
        return self.params.urlencode()

    @property
    def ordering(self) -> str:
        """Return the sort in force ("-" first: descending)."""
        return str(self.params.get("ordering") or self.definition.ordering)


def resolve(definition: ListDefinition, user: AnyUser, params: QueryDict | Mapping[str, Any]) -> Resolved:
    """Return the rows that these parameters show to the user, in order, without a cursor (lazy).

    Costs 1 query where a view is named, and those of validating a rule. Errors are words for people; with any, the
    list is empty: rows that do not fit the filter would be wrong.
    """
    given = as_query(params)
    errors: list[str] = []
    view = None
    wanted = given.get("view", "")
    if wanted and wanted != NO_VIEW:
        view = find_view(definition.key, user, wanted)
        if view is None:
            errors.append("This view is not there any more, or it is not shared with you.")
    effective = merge(view, given)
    filterset = _filterset(definition, user, effective)
    errors += _errors_of(filterset, effective)
    rules, problem = rules_of(definition, effective, view)
    if problem:
        errors.append(problem)
    rows, sentence = filterset.qs if not errors else definition.base(user).none(), ""
    if rules and not errors:
        try:
            rows, sentence = _ruled(definition, user, rows, rules, view)
        except BrokenRule as broken:
            errors.append(_says_broken(rules, view, broken))
            rows = rows.none()
    return Resolved(definition, rows, complete(view, given, effective, rules), errors, view, rules, sentence)


def _ruled(
    definition: ListDefinition, user: AnyUser, rows: QuerySet[Any], rules: dict[str, Any], view: SavedView | None
) -> tuple[QuerySet[Any], str]:
    """Return the rows the rule keeps, and the rule in words.

    A rule of the address may name only what its reader may see; one of a shared view was checked for its owner.
    """
    if view is None or rules != view.rules:
        rules = engine().validate(rules, definition.rule_record, user)
    kept = engine().restrict(rows, rules, definition.rule_record)
    return kept, engine().sentence(rules, definition.rule_record, user)


def _says_broken(rules: dict[str, Any], view: SavedView | None, broken: BrokenRule) -> str:
    whose = f"The rule of the view “{view.name}”" if view is not None and rules == view.rules else "The rule"
    return f"{whose} does not work: {broken}"


def as_query(params: QueryDict | Mapping[str, Any]) -> QueryDict:
    """Return the parameters as a changeable QueryDict; values of a plain mapping may be lists."""
    if isinstance(params, QueryDict):
        return params.copy()
    query = QueryDict(mutable=True)
    for name, value in params.items():
        query.setlist(name, [str(item) for item in (value if isinstance(value, list | tuple) else [value])])
    return query


def merge(view: SavedView | None, given: QueryDict) -> QueryDict:
    """Return the view's parameters with those given in their place; a given empty one takes the view's away."""
    effective = query_of(view) if view else QueryDict(mutable=True)
    for name, values in given.lists():
        effective.setlist(name, values)
    for name in list(effective):
        if name in PAGE_PARAMETERS or name == "view" or not any(effective.getlist(name)):
            del effective[name]
    return effective


def filter_errors(definition: ListDefinition, user: AnyUser, params: QueryDict) -> list[str]:
    """Return what is wrong with search, filters and ordering, in words (a query for each filter of a catalogue)."""
    return _errors_of(_filterset(definition, user, params), params)


def _filterset(definition: ListDefinition, user: AnyUser, params: QueryDict) -> FilterSet:
    data = params.copy()
    data.setdefault("ordering", definition.ordering)
    # Filters read of a request only who asks.
    asked: Any = SimpleNamespace(user=user)
    return definition.filterset(data, queryset=definition.base(user), request=asked)


def _errors_of(filterset: FilterSet, params: QueryDict) -> list[str]:
    form = filterset.form
    unknown = [
        f"There is no filter “{name[:40]}”." for name in params if name not in form.fields and name not in RESERVED
    ]
    if filterset.is_valid():
        return unknown
    return unknown + [
        f"{form.fields[name].label or name}: {message}" if name in form.fields else str(message)
        for name, messages in form.errors.items()
        for message in messages
    ]


def rules_of(
    definition: ListDefinition, effective: QueryDict, view: SavedView | None
) -> tuple[dict[str, Any] | None, str]:
    """Return the rule in force and what is wrong with it; `rules=none` takes the view's rule away (0 queries)."""
    text = effective.get("rules", "")
    if text == NO_RULE:
        return None, ""
    if not text:
        stored = view.rules if view else None
        return (stored, "") if stored is None or isinstance(stored, dict) else (None, "The view's rule is no rule.")
    if not definition.rule_record:
        return None, f"The list of {definition.unit_plural} takes no rule."
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        return None, "The rule in this address is damaged: build it again."
    return found, ""


def complete(view: SavedView | None, given: QueryDict, effective: QueryDict, rules: dict[str, Any] | None) -> QueryDict:
    """Return the parameters that give this list again: what is in force, and what takes the view's away (0 queries)."""
    params = effective.copy()
    params.pop("rules", None)
    if view is not None:
        for name in query_of(view):
            params.setdefault(name, "")
        params["view"] = str(view.pk)
    elif given.get("view") == NO_VIEW:
        params["view"] = NO_VIEW
    own = view.rules if view is not None else None
    if rules and rules != own:
        params["rules"] = json.dumps(rules, separators=(",", ":"))
    elif own and not rules:
        params["rules"] = NO_RULE
    return params
