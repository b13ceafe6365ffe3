"""What segments add to what one can do to many records: into a static segment; and archiving segments."""

from typing import Any

from django import forms

from segmentation_crm.common.bulk import ActionForm, ListAction

from .choices import MemberType, SegmentKind, SegmentStatus
from .models import Segment
from .queries import segments_visible_to
from .services import static_members
from .services.saving import create_segment


class StaticSegmentForm(ActionForm):
    """A static segment of this kind of record, or the name of a new one."""

    segment = forms.ModelChoiceField(
        queryset=Segment.objects.none(), required=False, label="Static segment", empty_label="A new one, named below"
    )
    name = forms.CharField(required=False, max_length=200, label="Name of a new segment")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["segment"]
        assert isinstance(field, forms.ModelChoiceField)
        rows = segments_visible_to(self.user).filter(kind=SegmentKind.STATIC, member_type=self.record)
        field.queryset = rows.exclude(status=SegmentStatus.ARCHIVED).order_by("name")

    def clean(self) -> dict[str, Any]:
        """Ask for one of the two."""
        cleaned = super().clean() or self.cleaned_data
        name = (cleaned.get("name") or "").strip()
        if not self.errors and bool(cleaned.get("segment")) is bool(name):
            words = "Choose a segment or name a new one." if not name else "Either a segment there is, or a new name."
            self.add_error("name", words)
        return cleaned

    def params(self) -> dict[str, Any]:
        """Return the segment's id; a new one is made here."""
        segment = self.cleaned_data["segment"]
        if segment is None:
            segment, _ = create_segment(
                self.user, name=self.cleaned_data["name"], member_type=self.record, kind=SegmentKind.STATIC
            )
        return {"segment": segment.pk}

    def words(self) -> str:
        """Return "Add to the segment “Fair 2026”"."""
        segment = self.cleaned_data["segment"]
        return f"Add to the segment “{segment.name if segment else self.cleaned_data['name'].strip()}”"


def list_actions() -> list[ListAction]:
    """Return the acts that segments contribute to lists."""
    return [
        ListAction(
            key="add_to_segment",
            label="Add to segment",
            icon="chart-pie",
            records=tuple(MemberType.values),
            capability="segments.write",
            apply=static_members.add_members,
            undo=static_members.take_out,
            form_class=StaticSegmentForm,
            verb="Add",
            sentence="They become members of a static segment, which holds whom people put in.",
        ),
        ListAction(
            key="archive",
            label="Archive",
            icon="ban",
            records=("segment",),
            capability="segments.write",
            apply=static_members.archive,
            undo=static_members.bring_back,
            verb="Archive",
            sentence="They go out of use; members and history are kept. One that others read stays in use.",
        ),
    ]
