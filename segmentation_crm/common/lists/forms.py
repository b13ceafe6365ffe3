"""The form of a saved view: its name, who sees it, whether lists open with it."""

from typing import Any

from django import forms

from ..access import can
from ..models import SavedView, User

V = SavedView.Visibility


class SavedViewForm(forms.Form):
    """Name, who sees the view, and whether the list opens with it; sharing follows the role."""

    name = forms.CharField(max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    visibility = forms.ChoiceField(label="Who sees it", widget=forms.RadioSelect, choices=V.choices, initial=V.PRIVATE)
    is_default = forms.BooleanField(label="Open this list with it", required=False)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        may_share = can(user, "segments.write")
        taken = kwargs.get("initial", {}).get("visibility")
        offered = {V.PRIVATE.value} | ({V.TEAM.value} if user.team_id else set()) | ({taken} if taken else set())
        if may_share:
            offered.add(V.EVERYONE.value)
        field: Any = self.fields["visibility"]
        field.choices = [(value, label) for value, label in V.choices if value in offered]
        if may_share:
            self.fields["is_default"].help_text = "For whoever sees it. An own private default goes first."
        else:
            self.fields["is_default"].help_text = "For you, while the view is seen by you alone."
