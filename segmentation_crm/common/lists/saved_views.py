"""Reading saved views: which a user may open, which one a list starts with, what is in one."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from django.http import QueryDict

from ..access import AnyUser
from ..models import SavedView, User

MAX_ID = 2**63 - 1
# The rule has a column of its own; the others belong to the page.
NOT_STORED = frozenset({"view", "rules", "cursor", "page_size"})


def saved_views_visible_to(user: AnyUser) -> QuerySet[SavedView]:
    """Return the user's own views, those of the owner's team and those for everyone."""
    if not isinstance(user, User) or not user.is_active:
        return SavedView.objects.none()
    seen = Q(owner=user) | Q(visibility=SavedView.Visibility.EVERYONE)
    if user.team_id:
        seen |= Q(visibility=SavedView.Visibility.TEAM, owner__team_id=user.team_id)
    return SavedView.objects.filter(seen)


def views_of(record: str, user: AnyUser) -> QuerySet[SavedView]:
    """Return the views of one list that the user may open: own first, then the team's, then everyone's."""
    whose = Case(
        When(visibility=SavedView.Visibility.PRIVATE, then=Value(0)),
        When(visibility=SavedView.Visibility.TEAM, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    found = saved_views_visible_to(user).filter(record=record).select_related("owner")
    return found.annotate(whose=whose).order_by("whose", "name", "pk")


def find_view(record: str, user: AnyUser, text: str) -> SavedView | None:
    """Return the view of this id that the user may open, or None (1 query, none for what is no id)."""
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > MAX_ID:
        return None
    return views_of(record, user).filter(pk=int(text)).first()


def default_of(views: Iterable[SavedView]) -> SavedView | None:
    """Return the view a list opens with: the user's own private default, else the team's, else everyone's (0 queries).

    views: those of the list that the user may open, own first.
    """
    defaults = [view for view in views if view.is_default]
    for visibility in (SavedView.Visibility.PRIVATE, SavedView.Visibility.TEAM, SavedView.Visibility.EVERYONE):
        for view in defaults:
            if view.visibility == visibility:
                return view
    return None


def query_of(view: SavedView) -> QueryDict:
    """Return the parameters of the list that a view stands for: filters, search, ordering and columns (0 queries)."""
    params = QueryDict(mutable=True)
    for name, value in (view.query if isinstance(view.query, dict) else {}).items():
        values = [str(item) for item in (value if isinstance(value, list) else [value])]
        params.setlist(str(name), [",".join(values)] if name == "columns" else values)
    return params


def stored_query(params: QueryDict) -> dict[str, Any]:
    """Return parameters as a view stores them: several values as a list, none of what is the page's own (0 queries)."""
    stored: dict[str, Any] = {}
    for name, values in params.lists():
        kept = [value for value in values if value]
        if name in NOT_STORED or not kept:
            continue
        if name == "columns":
            stored[name] = [key for key in kept[-1].split(",") if key]
        else:
            stored[name] = kept if len(kept) > 1 else kept[0]
    return stored
