"""The settings area: its pages as apps declare them, who may open them, and the frame they share."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from .access import AnyUser, can
from .extensions import settings_pages
from .folding import fold

GROUPS = ("Organisation", "People", "Sales process", "Words and fields", "Security")
View = Callable[..., HttpResponse]


@dataclass(frozen=True)
class SettingsPage:
    """One entry of the area's menu. words: what else it is found by. route: its list or form."""

    group: str
    label: str
    icon: str
    route: str
    capability: str
    text: str
    words: str = ""


def settings_view(capability: str) -> Callable[[View], View]:
    """Let only those into a page of settings whose role holds the capability; others get 403 with words."""

    def decorate(view: View) -> View:
        @login_required
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not can(request.user, capability):
                raise PermissionDenied("Your role does not keep these settings. An administrator can.")
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def pages_of(user: AnyUser, search: str = "") -> list[dict[str, Any]]:
    """Return the pages the user may open by group, those that the text finds (0 queries)."""
    wanted = fold(search).split()
    found = []
    for group in GROUPS:
        pages = [
            page
            for page in settings_pages
            if page.group == group and can(user, page.capability) and _fits(page, wanted)
        ]
        if pages:
            found.append({"title": group, "pages": [_shown(page) for page in pages]})
    return found


def _fits(page: SettingsPage, wanted: list[str]) -> bool:
    text = fold(f"{page.group} {page.label} {page.text} {page.words}")
    return all(word in text for word in wanted)


def _shown(page: SettingsPage) -> dict[str, str]:
    return {"label": page.label, "icon": page.icon, "url": reverse(page.route), "text": page.text}


def settings_page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render a page inside the area's frame; the entry whose address begins the page's own is marked."""
    groups = pages_of(request.user)
    urls = [page["url"] for group in groups for page in group["pages"] if request.path.startswith(page["url"])]
    current = max(urls, key=len, default="")
    return render(request, template, {"settings_groups": groups, "settings_current": current, **context}, status=status)


def cell(value: Any, kind: str = "text", **more: Any) -> dict[str, Any]:
    """Return a cell for settings/list.html; `url` makes it a link, `sub` adds a line below."""
    if "url" in more and kind == "text":
        kind = "link"
    return {"kind": kind, "value": value, "empty": value is None or value == "", **more}


def carry_out(form: forms.BaseForm, act: Callable[[], Any]) -> bool:
    """Do the act in a transaction; what it refuses stands beside the form's fields. Returns whether it was done."""
    try:
        with transaction.atomic():
            act()
    except ValidationError as error:
        add_errors(form, error)
        return False
    except IntegrityError:
        form.add_error(None, "Somebody else changed this at the same moment. Look at the list, then try again.")
        return False
    return True


def add_errors(form: forms.BaseForm, error: ValidationError) -> None:
    """Put the messages of a refusal beside the fields they name, the others above the form."""
    if not hasattr(error, "error_dict"):
        form.add_error(None, error.messages)
        return
    for name, messages in error.message_dict.items():
        is_shown = name in form.fields and not form.fields[name].widget.is_hidden
        form.add_error(name if is_shown else None, messages)
