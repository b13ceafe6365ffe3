"""The API of partitions and splits."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.api.errors import Conflict, PreconditionRequired, Stale
from segmentation_crm.common.api.viewsets import IF_MATCH, ReadViewSet
from segmentation_crm.common.keys import key_of

from .. import serializers_kinds as shapes
from ..models import Partition, Split
from ..queries import partitions_visible_to, splits_visible_to
from ..services import partitions, splits
from ..services.dividing import StaleDivision
from ..services.partitions import Part
from ..services.saving import SegmentInUse
from ..services.splits import Group, share_of

D = TypeVar("D", Partition, Split)


class DivisionViewSet(ReadViewSet[D], Generic[D]):
    """What both share: `{id}` takes an id or a slug; a change of the parts needs If-Match."""

    default_ordering = ("name",)
    lookup_value_regex = "[-a-zA-Z0-9_]+"
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    write_capability = "segments.write"
    delete_capability = "segments.write"
    write_scope = "segments"

    def get_object(self) -> D:
        """Return the one of the path, by id or slug."""
        reference = str(self.kwargs["pk"])
        rows = self.get_queryset()
        key = key_of(reference)
        found = rows.filter(pk=key).first() if key is not None else None
        found = found or rows.filter(slug=reference).first()
        if found is None:
            raise Http404
        return found

    def shown(self, division: D, code: int) -> Response:
        """Answer one with its ETag."""
        fresh = self.get_queryset().get(pk=division.pk)
        return Response(self.get_serializer(fresh).data, status=code, headers={"ETag": self.etag(fresh)})

    def body_of(self, serializer: Any, request: Request) -> dict[str, Any]:
        """Return the validated body."""
        body = serializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        found: dict[str, Any] = body.validated_data
        return found

    def expected(self, request: Request, division: D, *, needed: bool) -> int | None:
        """Return the version that the caller read, None where it need not say.

        Raises PreconditionRequired or Stale.
        """
        if "If-Match" not in request.headers:
            if needed:
                raise PreconditionRequired
            return None
        self.check_if_match(division)
        return division.version

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Answer what a service refuses: 412 with the present state, 409 with what depends on a part."""
        try:
            yield
        except StaleDivision as problem:
            raise Stale(self.get_serializer(problem.current).data, self.etag(problem.current)) from None
        except SegmentInUse as used:
            raise Conflict(str(used)) from None


class PartitionViewSet(DivisionViewSet[Partition]):
    """Ordered partitions: every record falls into the first part whose segment holds it, else into the rest."""

    queryset = Partition.objects.none()
    serializer_class = shapes.PartitionSerializer
    prefetch = ("parts__source", "parts__segment")

    def visible_to(self, user: AnyUser) -> QuerySet[Partition]:
        """Return the partitions the user sees."""
        return partitions_visible_to(user)

    @extend_schema(request=shapes.PartitionWriteSerializer, responses={201: shapes.PartitionSerializer})
    def create(self, request: Request) -> Response:
        """Save a new partition; jobs compute the members of its parts."""
        values = self.body_of(shapes.PartitionWriteSerializer, request)
        return self.shown(partitions.create_partition(request.user, **_with_parts(values)), status.HTTP_201_CREATED)

    @extend_schema(request=shapes.PartitionPatchSerializer, responses=shapes.PartitionSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields sent; parts need If-Match (428 without, 412 where somebody saved in between)."""
        partition = self.get_object()
        values = self.body_of(shapes.PartitionPatchSerializer, request)
        expected = self.expected(request, partition, needed="parts" in values)
        with self.answering():
            saved = partitions.update_partition(request.user, partition, _with_parts(values), expected)
        return self.shown(saved, status.HTTP_200_OK)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the partition and archive its parts; refused (409) while something depends on a part."""
        partition = self.get_object()
        self.check_if_match(partition)
        with self.answering():
            partitions.delete_partition(request.user, partition)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SplitViewSet(DivisionViewSet[Split]):
    """Random splits: the members of a segment drawn by lot into groups, the same for ever."""

    queryset = Split.objects.none()
    serializer_class = shapes.SplitSerializer
    prefetch = ("groups__segment",)

    def visible_to(self, user: AnyUser) -> QuerySet[Split]:
        """Return the splits the user sees."""
        return splits_visible_to(user)

    @extend_schema(request=shapes.SplitWriteSerializer, responses={201: shapes.SplitSerializer})
    def create(self, request: Request) -> Response:
        """Save a new split; jobs compute the members of its groups."""
        values = self.body_of(shapes.SplitWriteSerializer, request)
        return self.shown(splits.create_split(request.user, **_with_groups(values)), status.HTTP_201_CREATED)

    @extend_schema(request=shapes.SplitPatchSerializer, responses=shapes.SplitSerializer, parameters=[IF_MATCH])
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields sent; groups need If-Match (428 without, 412 where somebody saved in between)."""
        split = self.get_object()
        values = self.body_of(shapes.SplitPatchSerializer, request)
        expected = self.expected(request, split, needed="groups" in values)
        with self.answering():
            saved = splits.update_split(request.user, split, _with_groups(values), expected)
        return self.shown(saved, status.HTTP_200_OK)

    @extend_schema(parameters=[IF_MATCH], responses={204: None})
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the split and archive its groups; refused (409) while something depends on a group."""
        split = self.get_object()
        self.check_if_match(split)
        with self.answering():
            splits.delete_split(request.user, split)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _with_parts(values: dict[str, Any]) -> dict[str, Any]:
    if "parts" not in values:
        return values
    return {**values, "parts": [Part(part["name"], part["source"]) for part in values["parts"]]}


def _with_groups(values: dict[str, Any]) -> dict[str, Any]:
    if "groups" not in values:
        return values
    return {**values, "groups": [Group(group["name"], share_of(group["share"])) for group in values["groups"]]}
