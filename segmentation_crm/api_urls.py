"""All routes under /api/: version 1 of the API, its schema and its documentation."""

from django.http import HttpRequest, JsonResponse
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt

from .common.api.documentation import DocsView, SchemaView
from .common.api.errors import json_error


@csrf_exempt
def unknown_route(request: HttpRequest) -> JsonResponse:
    """Answer 404 as JSON for whatever no route above takes."""
    slash = "" if request.path_info.endswith("/") else " Addresses of the API end in a slash."
    return json_error(request, 404, f"There is no such address.{slash}")


urlpatterns = [
    path("schema/", SchemaView.as_view(), name="api_schema"),
    path("docs/", DocsView.as_view(url_name="api_schema"), name="api_docs"),
    path("v1/", include("segmentation_crm.common.api.urls")),
    path("v1/", include("accounts.api.urls")),
    path("v1/", include("segments.api.urls")),
    re_path(r"", unknown_route, name="api_unknown"),
]
