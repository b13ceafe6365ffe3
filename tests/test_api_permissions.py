"""The permission matrix: every route under /api/ × method × seven roles and anonymous (R64, T5)."""

import re
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.urls import URLPattern, URLResolver

from segmentation_crm import api_urls
from segmentation_crm.common.models import Role
from tests.factories import UserFactory
from tests.permission_matrix import EVERYONE, MATRIX
from tests.support.api import caller

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# Pages that are no part of the API itself.
NOT_API = {"docs/", ""}


def routes() -> Iterator[tuple[str, set[str]]]:
    """Yield every route below /api/ with the methods it answers."""

    def walk(patterns: list, prefix: str) -> Iterator[tuple[str, set[str]]]:
        for pattern in patterns:
            text = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, text)
            elif isinstance(pattern, URLPattern):
                actions = getattr(pattern.callback, "actions", None) or {"get": ""}
                taken = getattr(getattr(pattern.callback, "cls", None), "http_method_names", ["get"])
                yield plain(text), {name.upper() for name in actions if name in taken and name.upper() in METHODS}

    yield from walk(api_urls.urlpatterns, "")


def plain(text: str) -> str:
    """Return a pattern as it is written in the matrix."""
    named = re.sub(r"\(\?P(<\w+>)(?:[^()]|\([^()]*\))*\)", r"\1", text)
    return named.replace("^", "").replace("$", "").replace("\\Z", "")


def test_every_route_and_method_is_listed():
    found: dict[str, set[str]] = {}
    for route, methods in routes():
        if route not in NOT_API:
            found.setdefault(route, set()).update(methods)
    assert found == {route: set(methods) for route, methods in MATRIX.items()}


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["anonymous", *Role.values])
def test_r64_every_call_is_allowed_or_refused_as_listed(role):
    assert set(Role.values) == EVERYONE
    client = caller(None if role == "anonymous" else UserFactory(role=role))
    wrong = []
    for route, methods in MATRIX.items():
        cache.clear()  # how many calls a minute is another test's
        path = "/api/" + route.replace("<pk>", "987654321").replace("<override_id>", "1").replace("<number>", "1")
        for method in METHODS:
            data = {} if method in ("POST", "PUT", "PATCH") else None
            status = getattr(client, method.lower())(path, data).status_code
            if method not in methods:
                right = status in (405, 401) if role == "anonymous" else status in (403, 405)
            elif role == "anonymous":
                right = status == 401
            elif role in methods[method]:
                right = status not in (401, 403, 405) and status < 500
            else:
                right = status == 403
            if not right:
                wrong.append(f"{method} {path}: {status}")
    assert not wrong, "\n".join(wrong)
