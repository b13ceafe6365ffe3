"""The builder: a new segment, the rule of one that is there, the rule of a list."""

import json
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from segmentation_crm.common import lists
from segmentation_crm.common.lists.resolve import resolve
from segmentation_crm.common.lists.saved_views import find_view, stored_query
from segmentation_crm.common.models import Organisation
from segmentation_crm.common.services.saved_views import may_change

from ..choices import MemberType, SegmentKind, SegmentObjective, SegmentUse
from ..models import Segment
from ..queries import division_of, sees_every_record
from ..services.dependents import dependents_of
from ..services.templates import template_named
from .common import require_write, segment_or_404

MEMBERS_OF_LISTS = ("account", "contact", "opportunity", "activity")


def rule_of_list(request: HttpRequest) -> dict[str, Any]:
    """Return the rule that a list hands over: written out, or by its saved view; {} for none (up to 1 query)."""
    view = find_view(request.GET.get("member_type", ""), request.user, request.GET.get("view", ""))
    if view is not None:
        return view.rules if isinstance(view.rules, dict) else {}
    try:
        found = json.loads(request.GET.get("rules", "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _builder(request: HttpRequest, segment: Segment | None, rules: Any = None, template: Any = None) -> HttpResponse:
    kind = segment.member_type if segment else request.GET.get("member_type", MemberType.ACCOUNT)
    if template is not None:
        kind, rules = template.member_type, template.rules
    stored = {
        "member_type": kind if kind in MemberType.values else MemberType.ACCOUNT,
        "rules": rules or (segment.rules if segment else {}),
    }
    context = {
        "segment": segment,
        "template": template,
        "stored": stored,
        "currency": Organisation.current().currency,
        "member_types": MemberType.choices,
        "uses": SegmentUse.choices,
        "objectives": SegmentObjective.choices,
        "kinds": [SegmentKind.DYNAMIC, SegmentKind.SNAPSHOT],
        "has_impact": segment is not None and bool(segment.member_count or dependents_of(segment)),
        "is_resumed": segment is not None and rules is not None,
        "sees_a_part": not sees_every_record(request.user),
    }
    return render(request, "segments/segment_builder.html", context)


def show_builder(request: HttpRequest, segment: Segment, rules: dict[str, Any]) -> HttpResponse:
    """Show the builder of a segment with a rule that is not saved yet; saving it replaces what stands now."""
    return _builder(request, segment, rules)


@login_required
@require_GET
def segment_new(request: HttpRequest) -> HttpResponse:
    """Show the builder with an empty rule, that of a template, or the one of a list: `rules`, or its saved view."""
    require_write(request)
    return _builder(request, None, rule_of_list(request), template_named(request.GET.get("template", "")))


@login_required
@require_GET
def list_rule(request: HttpRequest, record: str) -> HttpResponse:
    """Show the builder for the rule of a list; it leads back to the list, or saves a view through the API."""
    if record not in MEMBERS_OF_LISTS:
        raise Http404("The list of these records takes no rule.")
    definition = lists.get(record)
    resolved = resolve(definition, request.user, request.GET)
    params = resolved.params.copy()
    params.pop("rules", None)
    context = {
        "list": definition,
        "view": resolved.view,
        "stored": {"member_type": record, "rules": resolved.rules or {}},
        "problem": next(iter(resolved.errors), "") if resolved.rules else "",
        "back_url": f"{reverse(definition.url_name)}?{resolved.query or 'view=all'}",
        "list_url": reverse(definition.url_name),
        "params": params.urlencode(),
        "query": stored_query(resolved.params),
        "currency": Organisation.current().currency,
        "sees_a_part": not sees_every_record(request.user),
        "may_save": resolved.view is None or may_change(request.user, resolved.view),
    }
    return render(request, "segments/list_rule.html", context)


@login_required
@require_GET
def segment_edit(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the builder with the segment's rule; it saves through the API."""
    require_write(request)
    segment = segment_or_404(request, slug)
    if segment.kind == SegmentKind.STATIC:
        messages.info(request, "This segment is kept by hand and has no rule.")
        return redirect(segment)
    if division := division_of(segment):
        messages.info(request, f"The rule of this part follows “{division}”; change that instead.")
        return redirect(division)
    return _builder(request, segment)
