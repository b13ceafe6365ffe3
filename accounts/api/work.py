"""Tasks and notes over the API, and what is kept about records: history, origins, numbers elsewhere."""

from typing import Any

from rest_framework.exceptions import PermissionDenied, ValidationError

from segmentation_crm.common.access import can
from segmentation_crm.common.api.viewsets import ReadViewSet
from segmentation_crm.common.models import User

from ..filters import ExternalIdFilter, FieldHistoryFilter, NoteFilter, ProvenanceFilter, TaskFilter
from ..models import ExternalId, FieldHistory, Note, Provenance, Task
from ..queries import (
    external_ids_visible_to,
    field_history_visible_to,
    notes_visible_to,
    provenance_visible_to,
    tasks_visible_to,
)
from ..services import work
from .base import AccountsSerializer, DetailViewSet
from .details import STAMPS
from .fields import ReferenceField


class TaskSerializer(AccountsSerializer):
    """Something to do until a time; the owner is the caller unless given."""

    class Meta:
        model = Task
        fields = [
            "id",
            "type",
            "title",
            "due_at",
            "owner",
            "outcome",
            "done_at",
            "remind_at",
            "account",
            "contact",
            "opportunity",
            "created_by",
            *STAMPS,
        ]
        read_only_fields = ["created_by", *STAMPS]

    def create(self, validated_data: dict[str, Any]) -> Task:
        """Insert the task, made by the caller; an owner who is somebody else hears of it.

        Raises ValidationError naming the field that breaks a rule.
        """
        user = self.context["request"].user
        task = super().create({"owner": user, **validated_data, "created_by": user})
        work.tell_owner(task, None, user)
        return task

    def update(self, instance: Task, validated_data: dict[str, Any]) -> Task:
        """Change the task; a reminder put to another moment rings again, a new owner hears of it.

        Raises ValidationError naming the field that breaks a rule.
        """
        had_owner, had_reminder = instance.owner_id, instance.remind_at
        if validated_data.get("remind_at", had_reminder) != had_reminder:
            instance.reminded_at = None
        task = super().update(instance, validated_data)
        work.tell_owner(task, had_owner, self.context["request"].user)
        return task


class TaskViewSet(DetailViewSet[Task]):
    """Tasks."""

    visible = staticmethod(tasks_visible_to)
    serializer_class = TaskSerializer
    filterset_class = TaskFilter


class NoteSerializer(AccountsSerializer):
    """Text on a record, by the caller; who is named as @username, or in `mentions`, hears of it.

    Without `mentions` they are read from the text. Who may not see the record is left out.
    """

    mentions = ReferenceField(queryset=User.objects.all(), many=True, required=False)

    class Meta:
        model = Note
        fields = ["id", "text", "author", "mentions", "account", "contact", "opportunity", *STAMPS]
        read_only_fields = ["author", *STAMPS]

    def create(self, validated_data: dict[str, Any]) -> Note:
        """Insert the note, by the caller, and tell who is mentioned.

        Raises ValidationError naming the field that breaks a rule.
        """
        mentions = validated_data.pop("mentions", None)
        note = super().create({**validated_data, "author": self.context["request"].user})
        self._tell(note, mentions)
        return note

    def update(self, instance: Note, validated_data: dict[str, Any]) -> Note:
        """Change the note, and tell who is mentioned newly.

        Raises ValidationError naming the field that breaks a rule.
        """
        mentions = validated_data.pop("mentions", None)
        note = super().update(instance, validated_data)
        if mentions is not None or "text" in validated_data:
            self._tell(note, mentions)
        return note

    def _tell(self, note: Note, mentions: list[User] | None) -> None:
        record = note.account or note.contact or note.opportunity
        if record is not None:
            work.tell_mentioned(note, record, work.mentioned_in(note.text) if mentions is None else mentions)

    def validate_mentions(self, value: list[User]) -> list[User]:
        """Take at most 50 people.

        Raises ValidationError for more.
        """
        if len(value) > 50:
            raise ValidationError("Mention at most 50 people.")
        return value


class NoteViewSet(DetailViewSet[Note]):
    """Notes; only their author, or an admin, changes and removes one."""

    visible = staticmethod(notes_visible_to)
    serializer_class = NoteSerializer
    filterset_class = NoteFilter
    prefetch = ("mentions",)

    def perform_update(self, serializer: Any) -> None:
        """Save the author's note.

        Raises PermissionDenied for somebody else's.
        """
        self._check_author(serializer.instance)
        super().perform_update(serializer)

    def perform_destroy(self, instance: Note) -> None:
        """Delete the author's note.

        Raises PermissionDenied for somebody else's.
        """
        self._check_author(instance)
        super().perform_destroy(instance)

    def _check_author(self, note: Note) -> None:
        if note.author_id != self.request.user.pk and not can(self.request.user, "settings.write"):
            raise PermissionDenied("Only its author changes a note.")


class FieldHistorySerializer(AccountsSerializer):
    """A value that a field held from one moment to another."""

    class Meta:
        model = FieldHistory
        fields = [
            "id",
            "record_type",
            "record_id",
            "field",
            "value",
            "valid_from",
            "valid_to",
            "source",
            "is_reconstructed",
        ]
        read_only_fields = fields


class FieldHistoryViewSet(ReadViewSet[FieldHistory]):
    """History of fields; the database keeps it."""

    visible = staticmethod(field_history_visible_to)
    serializer_class = FieldHistorySerializer
    filterset_class = FieldHistoryFilter


class ProvenanceSerializer(AccountsSerializer):
    """Where the value of a field came from."""

    class Meta:
        model = Provenance
        fields = [
            "id",
            "record_type",
            "record_id",
            "field",
            "source_system",
            "source_type",
            "kind",
            "observed_on",
            "confidence",
        ]
        read_only_fields = fields


class ProvenanceViewSet(ReadViewSet[Provenance]):
    """Origins of values."""

    visible = staticmethod(provenance_visible_to)
    serializer_class = ProvenanceSerializer
    filterset_class = ProvenanceFilter


class ExternalIdSerializer(AccountsSerializer):
    """The number a record has in another system."""

    class Meta:
        model = ExternalId
        fields = ["id", "record_type", "record_id", "source", "external_id"]
        read_only_fields = fields


class ExternalIdViewSet(ReadViewSet[ExternalId]):
    """Numbers of records in other systems."""

    visible = staticmethod(external_ids_visible_to)
    serializer_class = ExternalIdSerializer
    filterset_class = ExternalIdFilter
