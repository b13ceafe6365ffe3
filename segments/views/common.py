"""What every page of segments begins with: the segment that the address names, and who may write."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from segmentation_crm.common.access import can

from ..models import Segment
from ..queries import find_segment
from ..services.saving import SegmentInUse


def segment_or_404(request: HttpRequest, slug: str) -> Segment:
    """Return the visible segment of this slug or id.

    Raises Http404.
    """
    found = find_segment(request.user, slug)
    if found is None:
        raise Http404("There is no such segment.")
    return found


def require_write(request: HttpRequest) -> None:
    """Let only those through who build segments.

    Raises PermissionDenied.
    """
    if not can(request.user, "segments.write"):
        raise PermissionDenied


def in_use(request: HttpRequest, title: str, used: SegmentInUse, back_url: str) -> HttpResponse:
    """Answer 409 with what stands in the way, each with its page."""
    context = {"title": title, "users": used.users, "back_url": back_url}
    return render(request, "segments/in_use.html", context, status=409)
