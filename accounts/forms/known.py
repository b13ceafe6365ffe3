"""Forms of what is known of a record: one need, one technology."""

from decimal import Decimal
from typing import Any

from django import forms

from ..choices import NeedEvidence, NeedKind, SourceKind, SourceType, TechnologyStatus


class DayInput(forms.DateInput):
    """A day, by the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


def _choice(choices: Any, label: str, **kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(choices=[("", "Not known"), *choices.choices], required=False, label=label, **kwargs)


def _confidence() -> forms.DecimalField:
    return forms.DecimalField(
        min_value=0, max_value=100, max_digits=5, decimal_places=2, required=False, label="Confidence in %"
    )


class _KnownForm(forms.Form):
    """Confidence stands in per cent on the form and as a fraction in the record."""

    source_type = _choice(SourceType, "Source")
    source_kind = _choice(SourceKind, "By what means")
    confidence = _confidence()

    @classmethod
    def initial_of(cls, row: Any, source_kind: str = "") -> dict[str, Any]:
        """Return the values of a row as the form shows them."""
        found = {name: getattr(row, name, None) for name in cls.base_fields}
        if row.confidence is not None:
            found["confidence"] = (row.confidence * 100).normalize() + 0
        return {**found, "source_kind": source_kind}

    def clean_confidence(self) -> Decimal | None:
        """Return the confidence as a fraction."""
        value = self.cleaned_data["confidence"]
        return None if value is None else (value / 100).quantize(Decimal("0.000001"))


class NeedForm(_KnownForm):
    """What is known of one need."""

    kind = _choice(NeedKind, "Kind")
    priority = forms.TypedChoiceField(
        choices=[("", "Not known"), *((str(n), f"{n}{' (highest)' if n == 1 else ''}") for n in range(1, 6))],
        coerce=int,
        empty_value=None,
        required=False,
        label="Priority",
    )
    evidence = _choice(NeedEvidence, "Evidence")
    confirmed_on = forms.DateField(required=False, widget=DayInput(), label="Confirmed on")
    rejected_on = forms.DateField(
        required=False, widget=DayInput(), label="Rejected on", help_text="A rejected inference is not inferred again."
    )
    field_order = ["kind", "priority", "evidence", "source_type", "source_kind", "confidence", "confirmed_on"]


class TechnologyForm(_KnownForm):
    """What is known of one technology of an account."""

    status = forms.ChoiceField(choices=TechnologyStatus.choices, label="Status")
    first_seen = forms.DateField(required=False, widget=DayInput(), label="First seen")
    last_verified = forms.DateField(required=False, widget=DayInput(), label="Last verified")
    contract_ends = forms.DateField(required=False, widget=DayInput(), label="Contract ends")
    field_order = ["status", "contract_ends", "last_verified", "first_seen", "source_type", "source_kind", "confidence"]
