"""Jobs over the API: their state and progress, and cancelling."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from ..access import AnyUser
from ..filters import JobFilter
from ..jobs import jobs_visible_to, request_cancel
from ..models import Job
from .viewsets import ReadViewSet


class JobSerializer(serializers.ModelSerializer):
    """A job as its owner sees it; the payload stays inside."""

    progress = serializers.SerializerMethodField(help_text="Share done, 0 to 1; null while the total is unknown.")
    error = serializers.CharField(read_only=True, help_text='Why it failed, in words; "" otherwise.')

    class Meta:
        model = Job
        fields = [
            "id",
            "public_id",
            "kind",
            "title",
            "state",
            "progress",
            "done_units",
            "total_units",
            "unit",
            "error",
            "result",
            "cancel_requested",
            "created_at",
            "started_at",
            "finished_at",
        ]
        read_only_fields = fields

    @extend_schema_field({"type": "number", "minimum": 0, "maximum": 1, "nullable": True})
    def get_progress(self, job: Job) -> float | None:
        """Return the share done."""
        return job.progress


class JobViewSet(ReadViewSet[Job]):
    """The caller's jobs, an admin's everybody's. `{id}` takes the number or the public id."""

    serializer_class = JobSerializer
    filterset_class = JobFilter
    default_ordering = ("-id",)
    lookup_value_regex = "[0-9]+|[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    # Cancelling one's own job needs no right beyond seeing it.
    action_capabilities = {"cancel": ""}

    def visible_to(self, user: AnyUser) -> QuerySet[Job]:
        """Return the jobs the user may see."""
        return jobs_visible_to(user)

    def get_object(self) -> Job:
        """Return the job of the number or public id.

        Raises Http404 alike for what is missing and what may not be seen.
        """
        key = self.kwargs["pk"]
        named = Q(pk=key) if key.isdigit() else Q(public_id=key)
        job = self.get_queryset().filter(named).first()
        if job is None:
            raise Http404
        return job

    def etag(self, instance: Any) -> str:
        """Return a digest of what is shown: a job changes without a version."""
        from .conditional import etag_of

        return etag_of(None, self.get_serializer(instance).data)

    @extend_schema(request=None, responses=JobSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Ask the job to stop; one that has ended stays as it is."""
        job = self.get_object()
        request_cancel(job)
        return Response(self.get_serializer(self.get_object()).data)
