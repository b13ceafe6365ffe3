"""The rules that a segment has had, what changed between them, and what to do when two people saved at once."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import BadRequest, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from segmentation_crm.common.access import can

from ..choices import SegmentKind
from ..models import Segment, SegmentVersion
from ..outline import Line, compared, outline
from ..queries import division_of
from ..rules.nodes import InvalidRule
from ..rules.parse import MAX_BYTES
from ..sentences import sentence_for
from ..services import saving, versions
from .builder import show_builder
from .common import require_write, segment_or_404

MOST = 200


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


@login_required
@require_GET
def segment_versions(request: HttpRequest, slug: str) -> HttpResponse:
    """List the versions, and compare two: `old` and `new`, the last two unless named."""
    segment = segment_or_404(request, slug)
    rows = list(segment.versions.select_related("created_by", "segment").order_by("-number")[:MOST])
    new = _asked(segment, request.GET.get("new", ""), rows[0] if rows else None)
    before = next((row for row in rows if new and row.number < new.number), None)
    old = _asked(segment, request.GET.get("old", ""), before)
    comparison = versions.compare(segment, old, new, request.user) if old and new and old.number != new.number else None
    context = {
        "segment": segment,
        "rows": [(row, sentence_for(row, request.user)) for row in rows],
        "comparison": comparison,
        "old": old,
        "new": new,
        "division": division_of(segment),
        "can_write": can(request.user, "segments.write") and segment.kind != SegmentKind.STATIC,
    }
    return render(request, "segments/segment_versions.html", context)


def _asked(segment: Segment, text: str, default: SegmentVersion | None) -> SegmentVersion | None:
    if not text:
        return default
    number = _number(text)
    found = None if number is None else versions.version_of(segment, number)
    if found is None:
        raise Http404("There is no such version.")
    return found


@login_required
@require_POST
def version_restore(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """Make an old version's rule the rule again; it becomes the newest version."""
    require_write(request)
    segment = segment_or_404(request, slug)
    expected = _number(request.POST.get("version", ""))
    try:
        saved, _ = versions.restore_version(request.user, segment, number, expected)
    except saving.StaleVersion:
        messages.error(request, "Somebody saved this segment a moment ago. Look at the newest version, then decide.")
    except InvalidRule as problem:
        messages.error(request, f"Version {number} no longer works as a rule: {problem}")
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(
            request,
            f"The rule of version {number} is the rule again, as version {saved.rules_version}. "
            "The members are being computed.",
        )
    return redirect("segments:versions", segment.slug)


# --- two people at once ---
@login_required
@require_POST
def segment_conflict(request: HttpRequest, slug: str) -> HttpResponse:
    """Show both rules and the one they began with; keep mine as a new version, or go on editing mine.

    POST: `mine` (the rule as JSON), `base` (number of the version it began with), `fields` (the other inputs as
    JSON), `act`: "" shows, "mine" saves over the version in `seen`, "edit" opens the builder with mine.
    """
    require_write(request)
    segment = segment_or_404(request, slug)
    mine, fields = _object(request.POST.get("mine", "{}")), _object(request.POST.get("fields", "{}"))
    if not mine:
        messages.error(request, "There is no rule of yours to compare; open the builder again.")
        return redirect(segment)
    act = request.POST.get("act", "")
    if act == "edit":
        return show_builder(request, segment, mine)
    if act == "mine":
        known = {name: fields[name] for name in ("name", "description", "kind_of_use", "objective") if name in fields}
        try:
            saving.update_segment(
                request.user, segment, {**known, "rules": mine}, _number(request.POST.get("seen", "")) or 0
            )
        except saving.StaleVersion:
            messages.warning(request, "It was saved once more in the meantime; this is how it stands now.")
            segment = segment_or_404(request, slug)
        except (InvalidRule, ValidationError) as problem:
            words = problem.messages if isinstance(problem, ValidationError) else [str(problem)]
            messages.error(request, f"Not saved: {' '.join(words)}")
        else:
            messages.success(request, "Yours is saved as the newest version; the other one is kept among the versions.")
            return redirect(segment)
    return render(request, "segments/segment_conflict.html", _conflict(request, segment, mine, fields))


def _conflict(request: HttpRequest, segment: Segment, mine: Any, fields: Any) -> dict[str, Any]:
    base_number = _number(request.POST.get("base", ""))
    base = versions.version_of(segment, base_number) if base_number is not None else None
    theirs = versions.version_of(segment, segment.rules_version)
    began = _outline(request, segment, base.rules) if base else []
    return {
        "segment": segment,
        "base": base,
        "theirs": theirs,
        "base_lines": began,
        "their_lines": compared(began, _outline(request, segment, segment.rules)),
        "my_lines": compared(began, _outline(request, segment, mine)),
        "mine": json.dumps(mine),
        "fields": json.dumps(fields),
        "base_number": base_number or "",
    }


def _outline(request: HttpRequest, segment: Segment, rules: Any) -> list[Line]:
    return outline(rules, segment.member_type, request.user, segment.pk)


def _object(text: str) -> Any:
    """Return a JSON object.

    Raises BadRequest for anything else.
    """
    if len(text.encode()) > MAX_BYTES:
        raise BadRequest("A rule has at most 256 KiB.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRequest("Expected JSON.") from None
    if not isinstance(found, dict):
        raise BadRequest("Expected a JSON object.")
    return found
