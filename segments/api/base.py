"""What every call on a segment begins with: the segment of the path, and pages of rows."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.api.pagination import KeysetPagination
from segmentation_crm.common.api.viewsets import ReadViewSet

from .. import serializers as shapes
from ..filters import SegmentFilter
from ..models import Segment
from ..queries import find_segment, segments_visible_to


class SegmentBase(ReadViewSet[Segment]):
    """Segments: saved queries over accounts or contacts. `{id}` takes an id or a slug."""

    queryset = Segment.objects.none()
    serializer_class = shapes.SegmentSerializer
    filterset_class = SegmentFilter
    default_ordering = ("name",)
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    write_capability = "segments.write"
    delete_capability = "segments.write"
    action_capabilities = {"dry_run": "segments.preview", "preview": "segments.preview"}
    action_scopes = {"dry_run": "read", "preview": "read"}
    write_scope = "segments"

    def visible_to(self, user: AnyUser) -> QuerySet[Segment]:
        """Return the segments the user sees."""
        return segments_visible_to(user)

    def get_object(self) -> Segment:
        """Return the segment of the path, by id or slug."""
        found = find_segment(self.request.user, str(self.kwargs["pk"]))
        if found is None:
            raise Http404
        return found

    def shown(self, segment: Segment, code: int, job: Any = None) -> Response:
        """Answer one segment with its ETag."""
        context = {**self.get_serializer_context(), "job": job}
        data = shapes.SegmentSerializer(segment, context=context).data
        return Response(data, status=code, headers={"ETag": self.etag(segment)})

    def page_of(self, rows: QuerySet[Any], serializer: Any, parameters: Iterable[str] = ()) -> Response:
        """Answer one page of rows; a parameter that is neither of paging nor among `parameters` is a 400."""
        self.refuse_unknown_parameters(parameters)
        pages = KeysetPagination()
        page = pages.paginate_queryset(rows, self.request, None)
        return pages.get_paginated_response(serializer(page, many=True, context={"request": self.request}).data)

    def refuse_unknown_parameters(self, known: Iterable[str] = ()) -> None:
        """Refuse query parameters that are neither of paging nor known.

        Raises ValidationError naming each.
        """
        known = {KeysetPagination.cursor_query_param, KeysetPagination.page_size_query_param, "format", *known}
        unknown = [name for name in self.request.query_params if name not in known]
        if unknown:
            raise ValidationError({name[:100]: "There is no such parameter here." for name in unknown})
