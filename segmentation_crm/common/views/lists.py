"""What one does to a list besides reading it: save views, choose columns, have the rows counted."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from .. import lists
from ..lists.columns import keys_wanted, remember
from ..lists.counting import count_rows
from ..lists.definition import ListDefinition
from ..lists.forms import SavedViewForm
from ..lists.page import DELETED
from ..lists.resolve import Resolved, resolve
from ..lists.saved_views import saved_views_visible_to, stored_query
from ..models import SavedView
from ..services.saved_views import delete_view, may_change, save_view


def _definition(key: str) -> ListDefinition:
    try:
        return lists.get(key)
    except lists.UnknownList:
        raise Http404("There is no such list.") from None


def _visible(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(saved_views_visible_to(request.user).select_related("owner"), pk=pk)


def _page_of(view: SavedView) -> str:
    return f"{reverse(_definition(view.record).url_name)}?view={view.pk}"


@login_required
@require_GET
def count(request: HttpRequest, key: str) -> HttpResponse:
    """Count the rows of a list as shown, in limited time: a line of words."""
    resolved = resolve(_definition(key), request.user, request.GET)
    return render(request, "lists/_count.html", {"counted": count_rows(resolved), "list": resolved.definition})


@login_required
@require_POST
def columns(request: HttpRequest, key: str) -> HttpResponse:
    """Take the chosen columns: into the address where a view is open, else as the user's own choice."""
    definition = _definition(key)
    known = {column.key for column in definition.columns(request.user, [])}
    wanted = [name for name in request.POST.getlist("columns") if name in known]
    if "reset" in request.POST:
        wanted = []
    query = QueryDict(request.POST.get("query", "")[:100_000], mutable=True)
    query.pop("columns", None)
    if query.get("view", lists.NO_VIEW) != lists.NO_VIEW:
        query["columns"] = ",".join(wanted)
    else:
        remember(key, request.user, wanted)  # type: ignore[arg-type]
    return redirect(f"{reverse(definition.url_name)}?{query.urlencode()}" if query else reverse(definition.url_name))


def _as_shown(request: HttpRequest, definition: ListDefinition) -> Resolved:
    """Return the list that the form was opened on; its filters and rule go into the view."""
    return resolve(definition, request.user, QueryDict(request.POST.get("query", "")[:400_000]))


@login_required
@require_http_methods(["GET", "POST"])
def view_new(request: HttpRequest, key: str) -> HttpResponse:
    """Save the list as shown under a name."""
    definition = _definition(key)
    if request.method == "GET":
        return redirect(definition.url_name)
    resolved = _as_shown(request, definition)
    view = SavedView(record=key)
    query = stored_query(resolved.params)
    wanted = keys_wanted(key, request.user, resolved.params)
    if wanted:
        query["columns"] = wanted
    return _save(request, view, {"query": query, "rules": resolved.rules}, reverse("lists:view_new", args=[key]))


@login_required
@require_http_methods(["GET", "POST"])
def view_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a view, share it, or make it what the list opens with."""
    view = _visible(request, pk)
    if not may_change(request.user, view):
        raise PermissionDenied("Only its owner changes a saved view.")
    return _save(request, view, {}, reverse("lists:view_edit", args=[pk]))


def _save(request: HttpRequest, view: SavedView, content: dict[str, Any], action: str) -> HttpResponse:
    """Save what the form and the list say, or show the form again with what is wrong."""
    user: Any = request.user
    initial = {"name": view.name, "visibility": view.visibility, "is_default": view.is_default}
    form = SavedViewForm(request.POST if request.method == "POST" else None, user=user, initial=initial)
    if request.method == "POST" and form.is_valid():
        changed = {name: value for name, value in form.cleaned_data.items() if not view.pk or value != initial[name]}
        try:
            with transaction.atomic():
                saved = save_view(user, view, {**changed, **content})
        except ValidationError as problem:
            for name, found in problem.message_dict.items():
                form.add_error(name if name in form.fields else None, found)
        except PermissionDenied as refused:
            form.add_error("visibility" if "visibility" in changed else "is_default", str(refused))
        else:
            messages.success(request, f"The view “{saved.name}” is saved.")
            return _lead_to(request, _page_of(saved))
    context = {"form": form, "action": action, "view": view, "query": request.POST.get("query", "")}
    return render(request, "lists/_view_form.html" if _is_part(request) else "lists/view_form.html", context)


def _is_part(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


def _lead_to(request: HttpRequest, url: str) -> HttpResponse:
    """Lead the browser on, also from a dialog that htmx sent."""
    if not _is_part(request):
        return redirect(url)
    response = HttpResponse(status=204)
    response["HX-Redirect"] = url
    return response


@login_required
@require_POST
def view_save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the list as shown in the view it was opened with."""
    view = _visible(request, pk)
    resolved = _as_shown(request, _definition(view.record))
    if resolved.errors:
        messages.error(request, f"“{view.name}” was not changed: {resolved.errors[0]}")
        return redirect(f"{reverse(resolved.definition.url_name)}?{resolved.query}")
    try:
        save_view(request.user, view, {"query": stored_query(resolved.params), "rules": resolved.rules})  # type: ignore[arg-type]
    except ValidationError as problem:
        messages.error(request, f"“{view.name}” was not changed: {' '.join(problem.messages)}")
    else:
        messages.success(request, f"The view “{view.name}” is saved.")
    return redirect(_page_of(view))


@login_required
@require_POST
def view_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a view; the list then offers to bring it back."""
    view = _visible(request, pk)
    kept = {name: getattr(view, name) for name in ("record", "name", "visibility", "query", "rules")}
    delete_view(request.user, view)  # type: ignore[arg-type]
    request.session[DELETED] = kept
    messages.success(request, f"The view “{view.name}” is deleted.")
    return redirect(f"{reverse(_definition(view.record).url_name)}?view={lists.NO_VIEW}")


@login_required
@require_POST
def view_restore(request: HttpRequest) -> HttpResponse:
    """Bring the view back that this user deleted last."""
    kept = request.session.pop(DELETED, None)
    if not kept:
        raise Http404("There is no deleted view to bring back.")
    view = SavedView(record=kept["record"])
    content = {name: kept[name] for name in ("name", "visibility", "query", "rules")}
    try:
        saved = save_view(request.user, view, content)  # type: ignore[arg-type]
    except (ValidationError, PermissionDenied) as problem:
        words = " ".join(problem.messages) if isinstance(problem, ValidationError) else str(problem)
        messages.error(request, f"“{kept['name']}” could not be brought back: {words}")
        return redirect(f"{reverse(_definition(kept['record']).url_name)}?view={lists.NO_VIEW}")
    messages.success(request, f"The view “{saved.name}” is back.")
    return redirect(_page_of(saved))
