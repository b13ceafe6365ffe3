"""The gallery of segments to start from."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from ..queries import sees_every_record
from ..services.templates import fills, gallery
from .common import require_write


@login_required
@require_GET
def templates(request: HttpRequest) -> HttpResponse:
    """Show the templates by method; how much of their data is here comes by a second call (`?part=data`)."""
    require_write(request)
    counted = fills(request.user) if request.GET.get("part") == "data" else {}
    groups = [(label, [(one, counted.get(one.template.key, [])) for one in rows]) for label, rows in gallery()]
    context = {"groups": groups, "counted": bool(counted), "sees_a_part": not sees_every_record(request.user)}
    page = "segments/_templates.html" if counted and request.headers.get("HX-Request") else "segments/templates.html"
    return render(request, page, context)
