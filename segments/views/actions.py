"""What one can do to a segment: compute, archive, restore, copy, export."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from ..choices import RunCause, SegmentKind
from ..rules.nodes import InvalidRule
from ..services import exporting, saving
from .common import in_use, require_write, segment_or_404


@login_required
@require_POST
def segment_rebuild(request: HttpRequest, slug: str) -> HttpResponse:
    """Queue the computing of the members."""
    require_write(request)
    segment = segment_or_404(request, slug)
    saving.queue_rebuild(segment, request.user, RunCause.REBUILD)
    return redirect(segment)


@login_required
@require_POST
def segment_archive(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the segment out of use, or say who uses it."""
    segment = segment_or_404(request, slug)
    try:
        saving.archive_segment(request.user, segment)
    except saving.SegmentInUse as used:
        return in_use(request, f"“{segment.name}” cannot be archived", used, segment.get_absolute_url())
    messages.success(request, f"“{segment.name}” is archived. Its members and history are kept.")
    return redirect(segment)


@login_required
@require_POST
def segment_restore(request: HttpRequest, slug: str) -> HttpResponse:
    """Bring an archived segment back."""
    segment, _ = saving.restore_segment(request.user, segment_or_404(request, slug))
    messages.success(request, f"“{segment.name}” is in use again; its members are being computed.")
    return redirect(segment)


@login_required
@require_POST
def segment_duplicate(request: HttpRequest, slug: str) -> HttpResponse:
    """Copy the segment's rule into a draft and open it in the builder."""
    segment = segment_or_404(request, slug)
    try:
        copy, _ = saving.duplicate_segment(request.user, segment)
    except InvalidRule as problem:
        messages.error(request, f"The rule no longer works, so it cannot be copied: {problem}")
        return redirect(segment)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect(segment)
    return redirect("segments:edit" if copy.kind != SegmentKind.STATIC else "segments:detail", copy.slug)


@login_required
@require_POST
def segment_export(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Download the members one may see as CSV; by POST, because it is counted and noted in the audit log."""
    segment = segment_or_404(request, slug)
    try:
        lines = exporting.export_members(segment, request.user)
    except exporting.TooManyExports:
        messages.error(request, "You have made 10 exports within the hour. Try again later.")
        return redirect(segment)
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{segment.slug}.csv"'
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response
