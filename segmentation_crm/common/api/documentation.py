"""The schema and its browsable page; both ask for log-in unless DEBUG is on."""

from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.renderers import OpenApiJsonRenderer, OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated

from . import openapi  # noqa: F401  (registers the description of token log-in)


def _permission() -> BasePermission:
    return AllowAny() if settings.DEBUG else IsAuthenticated()


class SchemaView(SpectacularAPIView):
    """The OpenAPI description, as JSON."""

    renderer_classes = [OpenApiJsonRenderer2, OpenApiJsonRenderer]

    def get_permissions(self) -> list[Any]:
        """Return who may read it."""
        return [_permission()]


class DocsView(SpectacularSwaggerSplitView):
    """Swagger UI from our own files: no inline script, no outside host."""

    template_name = "api/docs.html"

    def get_permissions(self) -> list[Any]:
        """Return nothing: `dispatch` sends people to log-in instead of answering 401."""
        return [AllowAny()]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Show the page, or ask for log-in."""
        if not settings.DEBUG and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return super().dispatch(request, *args, **kwargs)
