"""Forms of the settings area: the organisation, teams."""

import calendar
from typing import Any
from zoneinfo import available_timezones

import pycountry
from django import forms

from .models import Organisation, Team, User

ZONES = [(zone, zone.replace("_", " ")) for zone in sorted(available_timezones()) if "/" in zone or zone == "UTC"]
CURRENCIES = [
    (currency.alpha_3, f"{currency.alpha_3}: {currency.name}")
    for currency in sorted(pycountry.currencies, key=lambda one: one.alpha_3)
]
PICKER = {"data-picker": ""}


class OrganisationForm(forms.ModelForm):
    """The organisation's settings; `version` is the one the form was shown with."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    time_zone = forms.ChoiceField(
        choices=ZONES,
        widget=forms.Select(PICKER),
        help_text="Days, weeks and months of reports, and the daily work, follow this clock.",
    )
    currency = forms.ChoiceField(
        choices=CURRENCIES,
        widget=forms.Select(PICKER),
        label="Reporting currency",
        help_text="Amounts in other currencies are converted by the exchange rates. Changing it computes all amounts "
        "anew, as a job you can watch.",
    )
    fiscal_year_start_month = forms.TypedChoiceField(
        coerce=int,
        choices=[(month, calendar.month_name[month]) for month in range(1, 13)],
        label="Fiscal year starts in",
    )
    micro = forms.IntegerField(min_value=1, label="Micro: up to", help_text="Employees.")
    small = forms.IntegerField(min_value=1, label="Small: up to", help_text="Employees.")
    mid_market = forms.IntegerField(
        min_value=1, label="Mid-market: up to", help_text="Employees. Above it a company counts as enterprise."
    )

    class Meta:
        model = Organisation
        fields = ["name", "time_zone", "currency", "fiscal_year_start_month", "purchase_active_days"]
        labels = {"purchase_active_days": "A customer is active for"}
        help_texts = {"purchase_active_days": "Days since the last purchase, where there is no contract."}

    field_order = [
        "version", "name", "time_zone", "currency", "fiscal_year_start_month", "micro", "small", "mid_market",
        "purchase_active_days",
    ]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["version"] = self.instance.version
        self.initial.update(self.instance.size_limits)
        days = self.fields["purchase_active_days"]
        days.min_value, days.max_value = 1, 36500  # type: ignore[attr-defined]
        days.widget.attrs.update({"min": 1, "max": 36500})

    def clean_purchase_active_days(self) -> int:
        """Refuse a span that is none."""
        days = int(self.cleaned_data["purchase_active_days"])
        if not 1 <= days <= 36500:
            raise forms.ValidationError("Give 1 to 36,500 days.")
        return days

    def clean(self) -> dict[str, Any]:
        """Refuse limits that do not rise, beside the one that is too low."""
        cleaned = super().clean() or self.cleaned_data
        for lower, upper in (("micro", "small"), ("small", "mid_market")):
            low, high = cleaned.get(lower), cleaned.get(upper)
            if low is not None and high is not None and low >= high:
                self.add_error(upper, f"Must be above {low:,}, the limit before it.")
        return cleaned

    def _post_clean(self) -> None:
        """Leave the model's own checks to the service: it holds the row and compares the version."""

    def values(self) -> dict[str, Any]:
        """Return the settings as the service takes them."""
        data = self.cleaned_data
        limits = {size: data[size] for size in ("micro", "small", "mid_market")}
        return {**{name: data[name] for name in self.Meta.fields}, "size_limits": limits}


class TeamForm(forms.ModelForm):
    """A team with its members; somebody is in one team at a time."""

    members = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(),
        required=False,
        widget=forms.SelectMultiple(PICKER),
        help_text="Whoever is in another team moves here. A sales manager of the team sees its members' records.",
    )

    class Meta:
        model = Team
        fields = ["name"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["members"]
        assert isinstance(field, forms.ModelMultipleChoiceField)
        people = User.objects.filter(is_active=True) | User.objects.filter(team=self.instance.pk or 0)
        field.queryset = people.select_related("team").order_by("first_name", "username")
        field.label_from_instance = self.label_of  # type: ignore[method-assign,assignment]
        if self.instance.pk:
            self.initial["members"] = list(self.instance.members.values_list("pk", flat=True))

    def label_of(self, person: User) -> str:
        """Return the name, with the other team where there is one."""
        other = f" (now in {person.team})" if person.team and person.team != self.instance else ""
        return f"{person.display_name}{other}"
