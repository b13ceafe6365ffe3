"""Where a value came from, as a person states it beside the value."""

from decimal import Decimal
from typing import Any

from django import forms

from ..choices import SourceKind, SourceType
from ..models import Provenance
from .records import day_input

_EMPTY = ("", "–")


class SourceForm(forms.Form):
    """Source system, type, kind, day and confidence of one value; everything may stay empty."""

    source_system = forms.CharField(max_length=60, required=False, label="Source", help_text="Such as Annual report")
    source_type = forms.ChoiceField(
        required=False,
        label="Type",
        choices=[_EMPTY, *SourceType.choices],
        help_text="Primary: we asked ourselves. Secondary: read elsewhere.",
    )
    kind = forms.ChoiceField(required=False, label="Kind", choices=[_EMPTY, *SourceKind.choices])
    observed_on = forms.DateField(required=False, label="Observed on", widget=day_input())
    confidence = forms.IntegerField(required=False, min_value=0, max_value=100, label="Confidence in %")

    def __init__(self, *args: Any, standing: Provenance | None = None, **kwargs: Any) -> None:
        initial: dict[str, Any] = {}
        if standing is not None:
            initial = {
                name: getattr(standing, name) for name in ("source_system", "source_type", "kind", "observed_on")
            }
            initial["confidence"] = None if standing.confidence is None else int(standing.confidence * 100)
        kwargs["initial"] = initial
        super().__init__(*args, **kwargs)

    @property
    def is_stated(self) -> bool:
        """Tell whether anything is said."""
        return any(value not in (None, "") for value in self.cleaned_data.values())

    def values(self) -> dict[str, Any]:
        """Return what `services.provenance.state_source` takes."""
        confidence = self.cleaned_data["confidence"]
        return {
            **self.cleaned_data,
            "confidence": None if confidence is None else Decimal(confidence) / 100,
        }
