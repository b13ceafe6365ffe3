"""What one does to whole segments by hand: paste members, make a static one, take a snapshot again, set the parent."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from ..choices import MemberType, SegmentKind, SegmentStatus
from ..forms import PasteForm, StaticForm
from ..models import Segment
from ..queries import find_segment
from ..services import pasting, saving, snapshots
from .common import require_write, segment_or_404

SHOWN_UNMATCHED = 500


@login_required
@require_http_methods(["GET", "POST"])
def static_new(request: HttpRequest) -> HttpResponse:
    """Make a static segment, with members from pasted lines if there are any."""
    require_write(request)
    initial = {"member_type": request.GET.get("member_type", "account"), "imported": request.GET.get("import", "")}
    form = StaticForm(request.POST or None, user=request.user, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            segment, _ = saving.create_segment(
                request.user,
                name=values["name"],
                member_type=values["member_type"],
                description=values["description"],
                kind=SegmentKind.STATIC,
            )
        except ValidationError as error:
            form.take(error)
        else:
            if values["imported"]:
                report = pasting.add_imported(request.user, segment, values["imported"])
                messages.success(request, f"“{segment.name}” holds {report.added:,} records of the import.")
                return redirect(segment)
            if not values["text"].strip():
                messages.success(request, f"“{segment.name}” is there. Put records in from any list, or paste them.")
                return redirect(segment)
            return _paste(request, segment, PasteForm(request.POST))
    return render(request, "segments/static_form.html", {"form": form, "most": pasting.MOST_LINES})


@login_required
@require_http_methods(["GET", "POST"])
def segment_paste(request: HttpRequest, slug: str) -> HttpResponse:
    """Put records into a static segment by pasting ids, e-mails, domains or names, and say what fitted nothing."""
    require_write(request)
    segment = segment_or_404(request, slug)
    if segment.kind != SegmentKind.STATIC or segment.status == SegmentStatus.ARCHIVED:
        messages.error(request, "Only a static segment in use takes pasted members.")
        return redirect(segment)
    return _paste(request, segment, PasteForm(request.POST or None))


def _paste(request: HttpRequest, segment: Segment, form: PasteForm) -> HttpResponse:
    report = None
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            report = pasting.paste_members(request.user, segment, values["text"], values["reason"])
        except ValidationError as error:
            form.take(error)
        else:
            # What fitted nothing stays in the box, to be put right and sent again.
            rest = "\n".join(item.text for item in report.unmatched)
            form = PasteForm(initial={"text": rest, "reason": values["reason"]})
    context = {
        "segment": segment,
        "form": form,
        "report": report,
        "shown": report.unmatched[:SHOWN_UNMATCHED] if report else [],
        "is_account": segment.member_type == MemberType.ACCOUNT,
        "most": pasting.MOST_LINES,
    }
    return render(request, "segments/segment_paste.html", context, status=400 if form.errors else 200)


@login_required
@require_POST
def segment_take_again(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask a snapshot's rule once more."""
    require_write(request)
    segment = segment_or_404(request, slug)
    try:
        snapshots.take_again(request.user, segment)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The snapshot is being taken again; who was in and who is in stand in its history.")
    return redirect(segment)


@login_required
@require_POST
def segment_place(request: HttpRequest, slug: str) -> HttpResponse:
    """Put the segment under a parent, or take it from under one."""
    require_write(request)
    segment = segment_or_404(request, slug)
    text = request.POST.get("parent", "")
    parent = find_segment(request.user, text) if text else None
    if text and parent is None:
        messages.error(request, "There is no such segment to be the parent.")
        return redirect(segment)
    try:
        saving.update_segment(request.user, segment, {"parent": parent})
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        words = f"Its members are now always members of “{parent.name}” too." if parent else "It has no parent now."
        messages.success(request, words)
    return redirect(segment)
