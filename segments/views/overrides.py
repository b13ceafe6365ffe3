"""What people decide by hand about members: always in, never in."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from ..forms import OverrideForm
from ..queries import overrides_visible_to
from ..services import overrides
from .common import require_write, segment_or_404


@login_required
@require_POST
def override_add(request: HttpRequest, slug: str) -> HttpResponse:
    """Put a record always in or never in."""
    require_write(request)
    segment = segment_or_404(request, slug)
    form = OverrideForm(request.POST)
    if not form.is_valid():
        messages.error(request, form.first_error())
        return redirect(segment)
    data = form.cleaned_data
    try:
        overrides.set_override(request.user, segment, data["record"], data["mode"], data["reason"])
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        words = "always in" if data["mode"] == "include" else "never in"
        messages.success(request, f"Noted: {words}. It holds through every rebuild.")
    return redirect(segment)


@login_required
@require_POST
def override_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Let the rule decide about the record again."""
    require_write(request)
    segment = segment_or_404(request, slug)
    found = overrides_visible_to(segment, request.user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such decision.")
    overrides.remove_override(request.user, segment, found)
    messages.success(request, "The rule decides again; the members are being computed.")
    return redirect(segment)
