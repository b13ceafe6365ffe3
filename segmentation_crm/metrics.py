"""Prometheus metrics, for admins and for whoever holds METRICS_TOKEN; a 404 for everybody else."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_GET
from django_prometheus.exports import ExportToDjangoView

from segmentation_crm.common.access import can


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Return the metrics as text (0 queries with the token).

    Raises Http404 for anybody without the token or the right.
    """
    expected = f"Bearer {settings.METRICS_TOKEN}"
    with_token = bool(settings.METRICS_TOKEN) and constant_time_compare(
        request.headers.get("Authorization", ""), expected
    )
    if not with_token and not can(request.user, "settings.write"):
        raise Http404
    return ExportToDjangoView(request)
