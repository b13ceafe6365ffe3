"""Saved views of lists: make, change, share, make the default, delete."""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import QueryDict

from .. import lists
from ..access import AnyUser, can
from ..lists.resolve import filter_errors
from ..lists.saved_views import query_of
from ..models import SavedView, User
from ..rule_engine import BrokenRule, engine

MAX_NAME = 120
MAX_QUERY_VALUES = 500
SHARE_WITH_ALL = "Sharing a view with everyone takes a manager; your role shares with the team at most."
DEFAULT_OF_OTHERS = "Choosing what others start with takes a manager; a private view can be your own default."


def may_change(user: AnyUser, view: SavedView) -> bool:
    """Tell whether the user may change or delete a view: its owner, and an admin what everyone sees (0 queries)."""
    shared = view.visibility == SavedView.Visibility.EVERYONE
    return view.owner_id == user.pk or (shared and can(user, "settings.write"))


def save_view(user: User, view: SavedView, values: dict[str, Any]) -> SavedView:
    """Save a new view, or changes to one: name, visibility, is_default, query, rules (a few queries).

    Raises PermissionDenied with words, ValidationError naming the field.
    """
    if view.pk and not may_change(user, view):
        raise PermissionDenied("Only its owner changes a saved view.")
    for name, value in values.items():
        setattr(view, name, value)
    if not view.pk:
        view.owner = user
    _check_name(view)
    _check_sharing(user, view, values)
    if not view.pk or "query" in values:
        check_query(view.record, user, view.query)
    if "rules" in values and view.rules is not None:
        view.rules = check_rules(view.record, user, view.rules)
    with transaction.atomic():
        view.save()
        if view.is_default:
            _only_default(view)
    return view


def delete_view(user: User, view: SavedView) -> None:
    """Delete a view (1 query).

    Raises PermissionDenied with words.
    """
    if not may_change(user, view):
        raise PermissionDenied("Only its owner deletes a saved view.")
    view.delete()


def check_query(record: str, user: AnyUser, query: Any) -> None:
    """Check filters, sort and columns as the list would (1 query for custom fields).

    Raises ValidationError on `query` with every error in words.
    """
    if not isinstance(query, dict):
        raise ValidationError({"query": "Give an object of filters, columns and sort."})
    values = [item for value in query.values() for item in (value if isinstance(value, list) else [value])]
    if len(values) > MAX_QUERY_VALUES or not all(isinstance(item, str | int | float) for item in values):
        raise ValidationError({"query": "Give each filter as text, or as a list of texts."})
    definition = lists.get(record)
    probe = SavedView(record=record, query=query)
    params: QueryDict = query_of(probe)
    wanted = [key for key in params.get("columns", "").split(",") if key]
    params.pop("columns", None)
    errors = filter_errors(definition, user, params)
    if wanted:
        known = {column.key for column in definition.columns(user, [])}
        errors += [f"There is no column “{key[:60]}”." for key in wanted if key not in known]
    if errors:
        raise ValidationError({"query": errors})


def check_rules(record: str, user: AnyUser, rules: Any) -> dict[str, Any]:
    """Return the rule as it is stored (queries of validating it).

    Raises ValidationError on `rules` with every error in words.
    """
    definition = lists.get(record)
    if not definition.rule_record:
        raise ValidationError({"rules": f"The list of {definition.unit_plural} takes no rule."})
    try:
        return engine().validate(rules, definition.rule_record, user)
    except BrokenRule as broken:
        raise ValidationError({"rules": [str(error["message"]) for error in broken]}) from broken


def _check_name(view: SavedView) -> None:
    view.name = " ".join(str(view.name).split())
    if not view.name:
        raise ValidationError({"name": "Give the view a name."})
    if len(view.name) > MAX_NAME:
        raise ValidationError({"name": f"A name has at most {MAX_NAME} characters."})
    same = SavedView.objects.filter(record=view.record, owner=view.owner, name=view.name).exclude(pk=view.pk)
    if same.exists():
        raise ValidationError({"name": "You already have a view of this name for this list."})


def _check_sharing(user: User, view: SavedView, values: dict[str, Any]) -> None:
    if view.visibility not in SavedView.Visibility.values:
        raise ValidationError({"visibility": "Choose only me, my team or everyone."})
    manages = can(user, "segments.write")
    if "visibility" in values and view.visibility == SavedView.Visibility.EVERYONE and not manages:
        raise PermissionDenied(SHARE_WITH_ALL)
    if "visibility" in values and view.visibility == SavedView.Visibility.TEAM and view.owner.team_id is None:
        raise ValidationError({"visibility": "You are in no team, so there is nobody to share with."})
    shared = view.visibility != SavedView.Visibility.PRIVATE
    if values.get("is_default") and shared and not manages:
        raise PermissionDenied(DEFAULT_OF_OTHERS)
    # A private default that is shared now would be forced on others.
    if "visibility" in values and shared and view.is_default and not manages:
        view.is_default = False


def _only_default(view: SavedView) -> None:
    """Take the default from the other views of the same people."""
    others = SavedView.objects.filter(record=view.record, visibility=view.visibility, is_default=True)
    if view.visibility == SavedView.Visibility.PRIVATE:
        others = others.filter(owner=view.owner)
    elif view.visibility == SavedView.Visibility.TEAM:
        others = others.filter(owner__team=view.owner.team)
    others.exclude(pk=view.pk).update(is_default=False)
