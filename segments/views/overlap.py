"""Pages of overlap: several segments side by side, and what is most like one."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from segmentation_crm.common import lists

from ..choices import MemberType
from ..overlap import MOST_SEGMENTS, CannotCompare, Overlap, Pair, candidates, chosen, nearest, overlap_of
from ..overlap.chart import PITCH, dots_width, rows_of
from ..queries import sees_every_record
from .common import segment_or_404

MOST_CHARTED = 25
MOST_LISTED = 200
MOST_CANDIDATES = 1000
LETTERS = "ABCDEFGHIJKL"


@login_required
@require_GET
def overlap(request: HttpRequest) -> HttpResponse:
    """Show how the segments of `?segments=` overlap: chart, table, likeness, what is one too many; and the chooser.

    Segments by slug or id, repeated or with commas between. Costs 1 query a segment, 1 for what the user may see.
    """
    named = [part for value in request.GET.getlist("segments") for part in value.split(",") if part.strip()]
    problem, found = "", None
    if named:
        try:
            found = overlap_of(chosen(request.user, named), request.user)
        except CannotCompare as refusal:
            problem = str(refusal)
    picked = {one.pk for one in found.segments} if found else set()
    options = list(candidates(request.user)[:MOST_CANDIDATES])
    groups = [
        (
            label,
            [(one.slug, one.name, one.pk in picked or one.slug in named) for one in options if one.member_type == kind],
        )
        for kind, label in MemberType.choices
    ]
    context: dict[str, Any] = {
        "groups": [group for group in groups if group[1]],
        "enough": len(options) > 1,
        "most": MOST_SEGMENTS,
        "problem": problem,
        "sees_a_part": not sees_every_record(request.user),
    }
    if found:
        context |= shown(found)
    return render(request, "segments/overlap.html", context)


def shown(found: Overlap) -> dict[str, Any]:
    """Return what the page says of an overlap: rows of chart and table, each with the list of its records."""
    rows = rows_of(found, lambda inside, outside: list_address(found.member_type, inside, outside))
    largest = max(found.counts, default=0)
    legend = [
        {
            "letter": LETTERS[index],
            "segment": one,
            "count": found.counts[index],
            "width": width_of(found.counts[index], largest),
        }
        for index, one in enumerate(found.segments)
    ]
    slugs = [one.slug for one in found.segments]
    return {
        "overlap": found,
        "unit": found.member_type,
        "units": f"{found.member_type}s",
        "legend": legend,
        "heads": [{"letter": LETTERS[index], "x": PITCH * (index + 0.5)} for index in range(len(slugs))],
        "dots_width": dots_width(len(slugs)),
        "charted": rows[:MOST_CHARTED],
        "listed": rows[:MOST_LISTED],
        "row_count": len(rows),
        "in_all": next((row for row in rows if row.degree == len(slugs)), None),
        "in_several": sum(row.count for row in rows if row.degree > 1),
        "matrix": _matrix(found),
        "outside_share": found.outside / found.total if found.total else None,
        "outside_url": list_address(found.member_type, [], slugs),
        "not_built": [one for one in found.segments if one.last_built_at is None],
        "api_url": f"/api/v1/segments/overlap/?{urlencode({'segments': ','.join(slugs)})}",
    }


def width_of(count: int, largest: int) -> str:
    """Return the length of a bar in per cent of the longest, never too short to be seen."""
    return f"{max(0.6, count * 100 / largest):.2f}" if count and largest else "0"


def list_address(member_type: str, inside: list[str], outside: list[str]) -> str:
    """Return the list of exactly the records that are in all of the first segments and in none of the others."""
    rules = [{"field": "segment", "operator": "in", "value": [slug]} for slug in inside]
    if outside:
        rules.append({"field": "segment", "operator": "not_in", "value": outside})
    rule = json.dumps({"combinator": "and", "rules": rules}, separators=(",", ":"))
    return f"{reverse(lists.get(member_type).url_name)}?{urlencode({'view': lists.NO_VIEW, 'rules': rule})}"


@dataclass(frozen=True)
class Likeness:
    """One cell of the table of likeness. step: 0 (nothing in common) to 5 (the same), for its shade."""

    pair: Pair | None
    url: str = ""

    @property
    def step(self) -> int:
        """Return the shade."""
        value = self.pair.similarity if self.pair else None
        return 0 if not value else min(5, 1 + int(value * 4.999))


def _matrix(found: Overlap) -> list[dict[str, Any]]:
    lines = []
    for row, one in enumerate(found.segments):
        cells = []
        for column, other in enumerate(found.segments):
            pair = found.pair(row, column)
            url = list_address(found.member_type, [one.slug, other.slug], []) if pair else ""
            cells.append(Likeness(pair, url))
        lines.append({"letter": LETTERS[row], "segment": one, "cells": cells})
    return lines


@login_required
@require_GET
def segment_overlap(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the tab: the segments most like this one. The figures come by a second call, because they read them all."""
    segment = segment_or_404(request, slug)
    context = {"segment": segment, "tab": "overlap", "sees_a_part": not sees_every_record(request.user)}
    if request.GET.get("part") != "figures":
        return render(request, "segments/segment_overlap.html", context)
    found = nearest(segment, request.user)
    context |= {
        "nearest": found,
        "pairs": found.pairs[:MOST_LISTED],
        "unit": segment.member_type,
        "ticked": {pair.second.pk for pair in found.pairs[:3]},
        "most_others": MOST_SEGMENTS - 1,
    }
    return render(request, "segments/_nearest.html", context)
