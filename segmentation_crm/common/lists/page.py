"""The page of a list: its views, filters, chips, columns and one page of rows, for components/record_list.html."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.urls import reverse

from ..access import can, keep_visibility, visibility
from ..bulk.actions import actions_for
from ..models import SavedView
from ..paging import Page, keyset_page
from ..rule_engine import RuleTakesTooLong, engine
from ..services.saved_views import may_change
from .columns import chosen, keys_wanted
from .controls import carried, chips_of, controls_of
from .definition import Column, ListDefinition
from .forms import SavedViewForm
from .resolve import NO_RULE, NO_VIEW, PAGE_PARAMETERS, Resolved, resolve
from .saved_views import default_of, query_of, stored_query, views_of
from .tables import table

PAGE_SIZE = 50
# Where the session keeps the view deleted last, until it is brought back.
DELETED = "deleted_view"
RULE_SECONDS = 5.0


def show_list(request: HttpRequest, definition: ListDefinition, template: str, **context: Any) -> HttpResponse:
    """Show the list, or lead to the view or the filters that it opens with (queries of `list_context`)."""
    user: Any = request.user
    keep_visibility(user)
    views = list(views_of(definition.key, user))
    if all(name in PAGE_PARAMETERS for name in request.GET):
        start = opening(definition, views)
        if start:
            return HttpResponseRedirect(f"?{urlencode(start)}")
    return render(request, template, {**context, **list_context(request, definition, views)})


def opening(definition: ListDefinition, views: Sequence[SavedView]) -> dict[str, str]:
    """Return the parameters a list opens with: the default view, else its own start, else none (0 queries)."""
    default = default_of(views)
    return {"view": str(default.pk)} if default else dict(definition.start)


def list_context(request: HttpRequest, definition: ListDefinition, views: Sequence[SavedView]) -> dict[str, Any]:
    """Return what components/record_list.html needs.

    Costs 1 query for the rows, 1 for the view where one is chosen, 1 for the user's columns, 1 for custom fields, and 1
    for each select filled from the database; a rule costs those of validating it.
    """
    user: Any = request.user
    resolved = resolve(definition, user, request.GET)
    # The columns look at the rows when a cell is drawn; which columns there are decides what the rows are read with.
    records: list[Any] = []
    columns = definition.columns(user, records)
    shown = chosen(columns, keys_wanted(definition.key, user, resolved.params))
    # Who sees everything wants the next rows as they come.
    keys_first = definition.keys_first and not visibility(user).everything
    rows, slow = _rows(request, resolved, definition.joined(resolved.queryset, shown), keys_first)
    records += rows.rows
    errors = [*resolved.errors, *slow]
    controls = controls_of(definition.facets, resolved.params)
    return {
        "list": definition,
        "resolved": resolved,
        "query": resolved.query,
        "table": table(shown, rows, definition.unit, definition.unit_plural, resolved.ordering),
        "search": resolved.params.get("search", ""),
        "search_label": definition.search_label,
        "carried": carried(resolved, controls),
        "main_controls": [control for control in controls if control["main"]],
        "more_controls": [control for control in controls if not control["main"]],
        "more_in_force": sum(bool(control["value"]) for control in controls if not control["main"]),
        "search_keeps_empty": resolved.view is not None and "search" in resolved.params,
        "has_picker": any(control["options_url"] for control in controls),
        "chips": chips_of(resolved, controls),
        "filter_errors": errors,
        "is_filtered": is_filtered(resolved),
        "clear_url": f"?view={NO_VIEW}",
        "list_actions": actions_for(definition.key, user),
        "may_export": can(user, "records.export"),
        "column_groups": _column_groups(columns, shown),
        "columns_shown": shown,
        "view_bar": view_bar(request, resolved, views),
        "rule_bar": rule_bar(request, resolved),
        "new_view_form": SavedViewForm(user=user, auto_id="new_view_%s"),
        "edit_view_form": _edit_form(resolved, user),
        "deleted_view": (request.session.get(DELETED) or {}).get("name", "") if _was_here(request, definition) else "",
        "count_url": f"{reverse('lists:count', args=[definition.key])}?{resolved.query}",
        "has_more": bool(rows.next_url or rows.previous_url),
    }


def _rows(
    request: HttpRequest, resolved: Resolved, queryset: QuerySet[Any], keys_first: bool
) -> tuple[Page, list[str]]:
    """Return the page of rows; under a rule in limited time (1 query)."""
    if resolved.errors:
        return Page([]), []
    if resolved.rules is None:
        return keyset_page(request, queryset, PAGE_SIZE, keys_first), []
    try:
        with engine().limited(RULE_SECONDS):
            return keyset_page(request, queryset, PAGE_SIZE, keys_first), []
    except RuleTakesTooLong:
        return Page([]), [
            "This rule takes too long for a list. Save it as a segment: its members are computed in the background."
        ]


def _edit_form(resolved: Resolved, user: Any) -> SavedViewForm | None:
    view = resolved.view
    if view is None or not may_change(user, view):
        return None
    initial = {"name": view.name, "visibility": view.visibility, "is_default": view.is_default}
    return SavedViewForm(user=user, auto_id="view_%s", initial=initial)


def _was_here(request: HttpRequest, definition: ListDefinition) -> bool:
    """Tell whether the view that this session deleted last was one of this list."""
    return (request.session.get(DELETED) or {}).get("record") == definition.key


def is_filtered(resolved: Resolved) -> bool:
    """Tell whether anything narrows the list (0 queries)."""
    narrowing = set(stored_query(resolved.params)) - {"ordering", "columns"}
    return bool(narrowing or resolved.rules)


def _column_groups(columns: Sequence[Column], shown: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the columns that are not shown, by group, for the chooser; the shown ones stand in their own order."""
    groups: dict[str, list[Column]] = {}
    for column in columns:
        if column not in shown:
            groups.setdefault(column.group, []).append(column)
    return [{"title": title, "columns": found} for title, found in groups.items()]


@dataclass(frozen=True)
class ViewBar:
    """The views above a list: the chosen one, whether it was changed here, and what the user may do with it."""

    views: list[dict[str, Any]]
    chosen: SavedView | None
    is_changed: bool
    may_change: bool
    may_share: bool
    in_team: bool
    query: str
    all_url: str
    shows_all: bool
    tops: list[dict[str, Any]]
    others: list[dict[str, Any]]


TABS = 6


def view_bar(request: HttpRequest, resolved: Resolved, views: Sequence[SavedView]) -> ViewBar:
    """Return the views above the list (0 queries)."""
    view = resolved.view
    user: Any = request.user
    entries = [
        {
            "name": found.name,
            "url": f"?view={found.pk}",
            "active": view is not None and found.pk == view.pk,
            "whose": whose(found, user),
            "is_default": found.is_default,
            "has_rule": bool(found.rules),
        }
        for found in views
    ]
    tops = entries[:TABS]
    active = next((entry for entry in entries if entry["active"]), None)
    if active and active not in tops:
        tops = [*tops[:-1], active]
    return ViewBar(
        views=entries,
        chosen=view,
        is_changed=view is not None and changed(resolved, view),
        may_change=view is not None and may_change(user, view),
        may_share=can(user, "segments.write"),
        in_team=bool(user.team_id),
        query=resolved.query,
        all_url=f"?view={NO_VIEW}",
        shows_all=view is None,
        tops=tops,
        others=[entry for entry in entries if entry not in tops],
    )


def whose(view: SavedView, user: Any) -> str:
    """Say who sees a view, and whose it is where it is somebody else's (0 queries; the owner is joined)."""
    shared = {"private": "Only you", "team": "Your team", "everyone": "Everyone"}[view.visibility]
    return shared if view.owner_id == user.pk else f"{shared}, by {view.owner.display_name}"


def changed(resolved: Resolved, view: SavedView) -> bool:
    """Tell whether the list shows something else than its view says (0 queries)."""
    return stored_query(resolved.params) != stored_query(query_of(view)) or (resolved.rules or None) != (
        view.rules or None
    )


def rule_bar(request: HttpRequest, resolved: Resolved) -> dict[str, Any]:
    """Return the addresses for building, taking away and keeping the list's rule (0 queries)."""
    definition = resolved.definition
    if not definition.rule_record:
        return {}
    without: QueryDict = resolved.params.copy()
    without["rules"] = NO_RULE
    if resolved.view is None or not resolved.view.rules:
        del without["rules"]
    return {
        "build_url": f"{engine().builder_url(definition.rule_record)}?{resolved.query}",
        "without": f"?{without.urlencode()}",
        "sentence": resolved.sentence,
        "has_rule": resolved.rules is not None,
        "segment_url": _segment_url(request, resolved),
    }


def _segment_url(request: HttpRequest, resolved: Resolved) -> str:
    """Return the address where the rule becomes a segment, "" where it cannot or the user may not."""
    url = engine().segment_url(resolved.definition.rule_record)
    if resolved.rules is None or resolved.errors or not url or not can(request.user, "segments.write"):
        return ""
    wanted = {"member_type": resolved.definition.rule_record}
    if "rules" in resolved.params:
        wanted["rules"] = str(resolved.params["rules"])
    elif resolved.view is not None:
        wanted["view"] = str(resolved.view.pk)
    return f"{url}?{urlencode(wanted)}"
