"""The API of overlap: several segments side by side."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from ..overlap import CannotCompare, Overlap, chosen, overlap_of
from .base import SegmentBase

SEGMENTS = OpenApiParameter(
    "segments", str, required=True, description="Slugs or ids with commas between: 2 to 12, of one member type."
)


class OverlapActions(SegmentBase):
    """What segments share."""

    @extend_schema(responses={200: dict}, filters=False, parameters=[SEGMENTS])
    @action(detail=False, methods=["get"], pagination_class=None, filterset_class=None)
    def overlap(self, request: Request) -> Response:
        """Count who is in exactly which of the segments, how alike each two are, and which is one too many.

        All figures are over the records that the caller may see.
        """
        self.refuse_unknown_parameters(["segments"])
        try:
            segments = chosen(request.user, request.query_params.get("segments", "").split(","))
        except CannotCompare as problem:
            raise ValidationError({"segments": str(problem)}) from None
        return Response(overlap_body(overlap_of(segments, request.user)))


def overlap_body(found: Overlap) -> dict[str, Any]:
    """Return the JSON of an overlap; segments by slug."""
    slugs = [one.slug for one in found.segments]
    return {
        "member_type": found.member_type,
        "total": found.total,
        "outside": found.outside,
        "segments": [
            {"id": one.pk, "slug": one.slug, "name": one.name, "count": count, "last_built_at": one.last_built_at}
            for one, count in zip(found.segments, found.counts, strict=True)
        ],
        "intersections": [
            {"in": [slug for index, slug in enumerate(slugs) if region.inside(index)], "count": region.count}
            for region in found.regions
        ],
        "pairs": [
            {
                "first": pair.first.slug,
                "second": pair.second.slug,
                "both": pair.both,
                "either": pair.either,
                "similarity": None if pair.similarity is None else round(pair.similarity, 6),
            }
            for pair in found.pairs
        ],
        "findings": [
            {
                "kind": one.kind,
                "first": one.first.slug,
                "second": one.second.slug,
                "text": one.text,
                "advice": one.advice,
            }
            for one in found.findings
        ],
    }
