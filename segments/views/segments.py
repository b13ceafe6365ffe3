"""The list of segments, and one segment with its members."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from segmentation_crm.common import lists
from segmentation_crm.common.access import AnyUser, can
from segmentation_crm.common.lists.page import show_list
from segmentation_crm.common.paging import keyset_page

from ..choices import MemberType, SegmentStatus
from ..forms import OverrideForm
from ..models import Segment
from ..queries import (
    active_job,
    division_of,
    memberships_visible_to,
    movement_since,
    overrides_visible_to,
    recent_runs,
    records_visible_to,
    sees_every_record,
    segments_visible_to,
    visible_accounts_of,
    visible_member_count,
)
from ..sentences import sentence_for
from ..services.dependents import dependents_of
from .common import segment_or_404

PAGE = 50
MOVEMENT_DAYS = 30


@login_required
@require_GET
def segment_list(request: HttpRequest) -> HttpResponse:
    """List segments with sentence, members, state and owner; archived ones only where asked for."""
    return show_list(
        request,
        lists.get("segment"),
        "segments/segment_list.html",
        can_write=can(request.user, "segments.write"),
        sees_a_part=not sees_every_record(request.user),
    )


@login_required
@require_GET
def segment_detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Show one segment: fresh or not, how many, the rule, the members, what was decided by hand, what changed."""
    segment = segment_or_404(request, slug)
    user = request.user
    # The job first: a build that ends between the two reads is then shown, not waited for.
    job = active_job(segment)
    segment = segment_or_404(request, slug)
    count = visible_member_count(segment, user)
    total = records_visible_to(segment.member_type, user).count()
    # By time of entry, the latest first: who is new is what one acts on.
    rows = memberships_visible_to(segment, user).order_by("-entered_at", "-pk")
    decided = overrides_visible_to(segment, user)
    page = keyset_page(request, rows, PAGE)
    account_names = visible_accounts_of(page.rows, user)
    context = {
        "segment": segment,
        "sentence": sentence_for(segment, user),
        "rows": [(row, account_names.get(row.contact.account_id) if row.contact else None) for row in page.rows],
        "is_account": segment.member_type == MemberType.ACCOUNT,
        "unit": segment.member_type,
        "count": count,
        "total": total,
        "share": count / total if total else None,
        "movement": movement_since(segment, user, timezone.now() - timedelta(days=MOVEMENT_DAYS)),
        "movement_days": MOVEMENT_DAYS,
        "duration_s": None if segment.last_duration_ms is None else segment.last_duration_ms / 1000,
        "page": page,
        "overrides": list(decided.order_by("-pk")[:PAGE]),
        "override_count": decided.count(),
        "runs": recent_runs(segment),
        "job": job,
        "can_write": can(user, "segments.write"),
        "can_export": can(user, "records.export"),
        "sees_a_part": not sees_every_record(user),
        "standing": _standing(segment, user),
        "list_query": list_query(segment),
        "list_url": reverse(lists.get(segment.member_type).url_name),
        "form": OverrideForm(),
    }
    return render(request, "segments/segment_detail.html", context)


def _standing(segment: Segment, user: AnyUser) -> dict[str, Any]:
    """Return the partition or split that decides about the segment, what depends on it, and what may be its parent."""
    rows = segments_visible_to(user).filter(member_type=segment.member_type)
    return {
        "division": division_of(segment),
        "dependents": dependents_of(segment),
        "parents": rows.exclude(status=SegmentStatus.ARCHIVED).exclude(pk=segment.pk).order_by("name"),
    }


def list_query(segment: Segment) -> str:
    """Return the query under which the list of accounts or contacts shows the members."""
    rule = {"combinator": "and", "rules": [{"field": "segment", "operator": "in", "value": [segment.slug]}]}
    return urlencode({"view": lists.NO_VIEW, "rules": json.dumps(rule, separators=(",", ":"))})
