"""Forms of the segment pages."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict

from accounts.models import Import
from accounts.models.imports import ImportState
from accounts.queries.imports import imports_visible_to
from segmentation_crm.common.access import AnyUser

from .choices import MemberType, OverrideMode, SegmentStatus
from .models import Partition, Segment, Split
from .queries import segments_visible_to
from .services.partitions import Part
from .services.splits import Group, share_of


class OverrideForm(forms.Form):
    """One decision by hand: which record, in or out, and why."""

    record = forms.IntegerField(min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)
    mode = forms.ChoiceField(choices=OverrideMode.choices, widget=forms.HiddenInput)
    reason = forms.CharField(max_length=500, label="Reason", help_text="Others read it later.")

    def first_error(self) -> str:
        """Return the first thing wrong, in words that say what to do."""
        if "record" in self.errors:
            return "Choose the record first."
        if "reason" in self.errors:
            return "Say why, in at most 500 characters."
        return "Choose whether the record is always in or never in."


def rows_of(data: QueryDict, first: str, second: str) -> list[tuple[str, str]]:
    """Return the rows of a list of pairs of inputs, in their order; rows that are empty altogether are left out."""
    pairs = zip(data.getlist(first), data.getlist(second), strict=False)
    return [(one.strip(), two.strip()) for one, two in pairs if one.strip() or two.strip()]


class DivisionForm(forms.Form):
    """What partitions and splits ask alike; their rows are read with `rows_of`."""

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(max_length=120)
    description = forms.CharField(required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 2}))

    user: AnyUser
    rows_field = ""

    def __init__(self, data: QueryDict | None, *, user: AnyUser, member_type: str, standing: Any) -> None:
        self.user, self.member_type, self.standing = user, member_type, standing
        initial = {}
        if standing is not None:
            names = ("name", "description", "version", "base")
            initial = {name: getattr(standing, name) for name in names}
        super().__init__(data, initial=initial)
        rows = segments_visible_to(user).exclude(status=SegmentStatus.ARCHIVED).order_by("name")
        self.segments = list(rows.filter(member_type=member_type) if member_type else rows)

    def segment_choices(self) -> list[tuple[str, str]]:
        """Return (slug, name) of the segments to choose from: those of the member type that are in use."""
        own = set() if self.standing is None else self.own_segments()
        return [(one.slug, self.words_for(one)) for one in self.segments if one.pk not in own]

    def words_for(self, segment: Segment) -> str:
        """Return how a segment is offered."""
        return segment.name

    def own_segments(self) -> set[int]:
        """Return the segments of the parts, which cannot fill a part themselves."""
        raise NotImplementedError

    def start_anew(self, version: int) -> None:
        """Hold the version that stands now, so that saving once more is a decision."""
        data = QueryDict(mutable=True)
        data.update(self.data)  # type: ignore[arg-type]
        data["version"] = str(version)
        self.data = data

    def segment_of(self, slug: str) -> Segment | None:
        """Return the offered segment of this slug."""
        return next((one for one in self.segments if one.slug == slug), None)

    def take(self, error: ValidationError) -> None:
        """Take what a service refused, each message beside its field."""
        for field, messages in error.message_dict.items():
            known = field in self.fields or field == self.rows_field
            for message in messages:
                if field == self.rows_field:
                    self.errors.setdefault(field, self.error_class()).append(message)
                else:
                    self.add_error(field if known else None, message)


class PartitionForm(DivisionForm):
    """A partition: what is divided, and what the rest is called."""

    base = forms.ChoiceField(required=False, label="Divides", help_text="Every record falls into exactly one part.")
    rest = forms.CharField(max_length=60, label="Name of the rest", initial="Everyone else")
    rows_field = "parts"

    def __init__(self, data: QueryDict | None, *, user: AnyUser, member_type: str, partition: Partition | None) -> None:
        super().__init__(data, user=user, member_type=member_type, standing=partition)
        field = self.fields["base"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", f"All {member_type}s"), *self.segment_choices()]
        if partition is not None:
            self.initial["base"] = partition.base.slug if partition.base else ""
            rest = partition.parts.filter(source=None).first()
            self.initial["rest"] = rest.name if rest else "Everyone else"

    def own_segments(self) -> set[int]:
        """Return the segments of the parts."""
        return set(self.standing.parts.values_list("segment_id", flat=True))

    def stored_rows(self) -> list[tuple[str, str]]:
        """Return (name, slug) of the parts as they stand."""
        if self.standing is None:
            return []
        parts = self.standing.parts.filter(source__isnull=False).select_related("source")
        return [(part.name, part.source.slug) for part in parts]

    def values(self) -> dict[str, Any]:
        """Return what the service takes; a row without a segment that is there is left to it to refuse."""
        data: QueryDict = self.data  # type: ignore[assignment]
        parts = []
        for name, slug in rows_of(data, "part_name", "part_segment"):
            source = self.segment_of(slug)
            if source is None:
                raise ValidationError({"parts": f"Choose a segment for “{name}”." if name else "Choose a segment."})
            parts.append(Part(name or source.name[:60], source))
        cleaned = self.cleaned_data
        return {
            "name": cleaned["name"],
            "description": cleaned["description"],
            "rest": cleaned["rest"],
            "base": self.segment_of(cleaned["base"]) if cleaned["base"] else None,
            "parts": parts,
        }


class SplitForm(DivisionForm):
    """A split: whose members are drawn, and the seed."""

    base = forms.ChoiceField(label="Splits the members of", help_text="Whoever enters it later is drawn too.")
    seed = forms.CharField(
        required=False,
        max_length=64,
        label="Seed",
        help_text="Leave it empty for a draw of its own. Two splits with one seed draw alike.",
    )
    rows_field = "groups"

    def __init__(self, data: QueryDict | None, *, user: AnyUser, split: Split | None, asked: str = "") -> None:
        super().__init__(data, user=user, member_type=split.member_type if split else "", standing=split)
        base = self.fields["base"]
        assert isinstance(base, forms.ChoiceField)
        base.choices = [("", "Choose a segment"), *self.segment_choices()]
        if split is not None:
            for name in ("base", "seed"):
                self.fields[name].disabled = True
            self.initial["base"], self.initial["seed"] = split.base.slug, split.seed
            self.fields["seed"].help_text = "What is split and the seed stay; make another split for a new draw."
            base.choices = [(split.base.slug, split.base.name)]
        else:
            self.initial["base"] = asked

    def words_for(self, segment: Segment) -> str:
        """Return the name with what the members are."""
        return f"{segment.name} ({segment.get_member_type_display().lower()})"

    def own_segments(self) -> set[int]:
        """Return the segments of the groups."""
        return set(self.standing.groups.values_list("segment_id", flat=True))

    def stored_rows(self) -> list[tuple[str, str]]:
        """Return (name, share in percent) of the groups as they stand; two halves for a new split."""
        if self.standing is None:
            return [("A", "50"), ("B", "50")]
        return [(group.name, f"{group.percent:g}") for group in self.standing.groups.all()]

    def values(self) -> dict[str, Any]:
        """Return what the service takes."""
        data: QueryDict = self.data  # type: ignore[assignment]
        cleaned = self.cleaned_data
        groups = [Group(name, share_of(share)) for name, share in rows_of(data, "group_name", "group_share")]
        values = {"name": cleaned["name"], "description": cleaned["description"], "groups": groups}
        if self.standing is None:
            values |= {"base": self.segment_of(cleaned["base"]), "seed": cleaned["seed"]}
        return values


class _TakesErrors(forms.Form):
    """A form that takes what a service refused."""

    def take(self, error: ValidationError) -> None:
        """Put each message beside its field, or above the form."""
        for name, messages in error.message_dict.items():
            for message in messages:
                self.add_error(name if name in self.fields else None, message)


class PasteForm(_TakesErrors):
    """Members as text, one a line."""

    text = forms.CharField(
        label="Members",
        strip=False,
        max_length=2_000_000,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false"}),
    )
    reason = forms.CharField(required=False, max_length=500, label="Reason", help_text="Others read it later.")


class _ImportField(forms.ModelChoiceField):
    """An import, offered by its file, what it holds and when."""

    def label_from_instance(self, obj: Any) -> str:
        """Return how an import is offered."""
        return f"{obj.file_name}, {obj.type}, {obj.created_at:%Y-%m-%d %H:%M}"


class StaticForm(PasteForm):
    """A new static segment, with its first members if there are any."""

    name = forms.CharField(max_length=200)
    member_type = forms.ChoiceField(choices=MemberType.choices, label="Members are")
    description = forms.CharField(required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2}))
    imported = _ImportField(
        queryset=Import.objects.none(),
        required=False,
        to_field_name="public_id",
        label="From an import",
        empty_label="No import",
        help_text="The records that one of your finished imports wrote.",
    )
    field_order = ["name", "member_type", "description", "imported", "text", "reason"]

    def __init__(self, *args: Any, user: AnyUser, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["text"].required = False
        field = self.fields["imported"]
        assert isinstance(field, forms.ModelChoiceField)
        done = imports_visible_to(user).filter(state=ImportState.DONE, type__in=[f"{kind}s" for kind in MemberType])
        field.queryset = done.defer("touched_ids").order_by("-created_at")

    def clean(self) -> dict[str, Any]:
        """Take an import of the members' kind alone, and an import or lines, not both."""
        cleaned = super().clean() or self.cleaned_data
        imported = cleaned.get("imported")
        if imported and imported.type != f"{cleaned.get('member_type')}s":
            self.add_error("imported", f"That import holds {imported.type}; choose one of {cleaned['member_type']}s.")
        elif imported and (cleaned.get("text") or "").strip():
            self.add_error("imported", "Take the members from an import or paste them; the rest can be pasted after.")
        return cleaned
