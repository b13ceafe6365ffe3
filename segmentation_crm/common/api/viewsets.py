"""Viewsets of records: read, create, change in part, delete; by key, by version, by what one may see."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Model, QuerySet
from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from ..access import AnyUser
from ..acting import act_as_api
from .conditional import ConditionalMixin, matches
from .idempotency import idempotent

M = TypeVar("M", bound=Model)

IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="ETag of the version you read; a stale one answers 412."
)

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same call sent again gets the first answer."
)


class VisibleViewSet(ConditionalMixin, GenericViewSet, Generic[M]):
    """Base of all viewsets: rows start from `visible_to(user)`; single records ignore list filters."""

    lookup_value_regex = "[0-9]+"
    request: Request
    # `visible = staticmethod(queries.things_visible_to)`
    visible: Callable[[AnyUser], QuerySet[M]]
    # Related rows that the serializer shows: one query each a page.
    prefetch: tuple[str, ...] = ()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check token, scope and limits, then let what follows count as the user's act."""
        super().initial(request, *args, **kwargs)
        act_as_api(request.user)

    def visible_to(self, user: AnyUser) -> QuerySet[M]:
        """Return the rows the user may see; every action starts from it."""
        return self.visible(user)

    def get_queryset(self) -> QuerySet[M]:
        """Return the visible rows; none while the schema is being written."""
        if getattr(self, "swagger_fake_view", False):
            return self.model_of_schema()._default_manager.none()
        return self.visible_to(self.request.user).prefetch_related(*self.prefetch)

    def model_of_schema(self) -> type[M]:
        """Return the model that the schema describes."""
        return self.get_serializer_class().Meta.model  # type: ignore[attr-defined]

    def get_object(self) -> M:
        """Return the record of the path.

        Raises Http404 alike for what is missing and what may not be seen.
        """
        lookup = self.kwargs[self.lookup_url_kwarg or self.lookup_field]
        try:
            found = self.get_queryset().filter(**{self.lookup_field: lookup}).first()
        except (ValueError, OverflowError):
            found = None
        if found is None:
            raise Http404
        self.check_object_permissions(self.request, found)
        return found


class ReadViewSet(mixins.ListModelMixin, VisibleViewSet[M]):
    """Lists and single records."""

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer one record, 304 where the caller holds this version."""
        instance = self.get_object()
        etag = self.etag(instance)
        held = request.headers.get("If-None-Match")
        if held is not None and matches(held, etag):
            return Response(status=status.HTTP_304_NOT_MODIFIED, headers={"ETag": etag})
        return Response(self.get_serializer(instance).data, headers={"ETag": etag})


class RecordViewSet(ReadViewSet[M]):
    """Lists, single records, POST, PATCH and DELETE; PATCH writes only the fields sent."""

    http_method_names = ["get", "post", "patch", "delete", "head", "options"]

    @extend_schema(parameters=[IDEMPOTENCY_KEY])
    @idempotent
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Create a record, in one transaction."""
        serializer = self.get_serializer(data=request.data)
        with transaction.atomic():
            serializer.is_valid(raise_exception=True)
            self.perform_create(serializer)
            shown = self.get_serializer(self.reread(serializer.instance))
            data = shown.data
        return Response(data, status=status.HTTP_201_CREATED, headers={"ETag": self.etag(shown.instance)})

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Change the fields sent, in one transaction that holds the record."""
        with transaction.atomic():
            instance = self.locked(self.get_object())
            self.check_if_match(instance)
            serializer = self.get_serializer(instance, data=request.data, partial=True)
            serializer.is_valid(raise_exception=True)
            self.perform_update(serializer)
            shown = self.get_serializer(self.reread(serializer.instance))
            data = shown.data
        return Response(data, headers={"ETag": self.etag(shown.instance)})

    @extend_schema(parameters=[IF_MATCH])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Delete the record, in one transaction that holds it."""
        with transaction.atomic():
            instance = self.locked(self.get_object())
            self.check_if_match(instance)
            self.perform_destroy(instance)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def perform_create(self, serializer: Any) -> None:
        """Save a new record; a noun with a service of its own overrides this."""
        serializer.save()

    def perform_update(self, serializer: Any) -> None:
        """Save a changed record."""
        serializer.save()

    def perform_destroy(self, instance: M) -> None:
        """Delete a record; soft deletion overrides this."""
        instance.delete()

    def locked(self, instance: M) -> M:
        """Return the record again, held until the transaction ends (on SQLite the transaction itself excludes others).

        Raises Http404 where it was deleted a moment ago.
        """
        model = type(instance)
        if not model._default_manager.select_for_update().filter(pk=instance.pk).values_list("pk", flat=True).first():
            raise Http404
        found = self.get_queryset().filter(pk=instance.pk).first()
        if found is None:
            raise Http404
        return found

    def reread(self, instance: Any) -> Any:
        """Return the record as a later GET will show it; as it stands when the change moved it out of sight."""
        return self.get_queryset().filter(pk=instance.pk).first() or instance
