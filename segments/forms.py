"""Forms of the segment pages."""

from django import forms

from .choices import OverrideMode


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
