"""Forms of the profile page and of users."""

from typing import Any
from zoneinfo import available_timezones

from django import forms

from .access import SCOPES
from .models import Role, Team, User
from .services.preferences import is_on, prefer, preference

SCOPE_LABELS = {
    "read": "Read records",
    "write": "Write records",
    "import": "Import files",
    "export": "Export records",
    "segments": "Save segments",
}


class TokenForm(forms.Form):
    """A new API token."""

    name = forms.CharField(max_length=80, help_text="What will use it, for example “Warehouse sync”.")
    scopes = forms.MultipleChoiceField(
        choices=[(scope, SCOPE_LABELS[scope]) for scope in SCOPES],
        widget=forms.CheckboxSelectMultiple,
        initial=["read"],
        help_text="What the token may do, within your own rights.",
    )
    days = forms.TypedChoiceField(
        label="Expires after",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "1 year"), (1095, "3 years")],
        initial=90,
    )


class ProfileForm(forms.ModelForm):
    """A user's own name; e-mail and password have pages of their own."""

    class Meta:
        model = User
        fields = ["first_name", "last_name"]


class UserForm(forms.ModelForm):
    """A user as an admin edits it."""

    class Meta:
        model = User
        fields = ["username", "first_name", "last_name", "email", "role", "team"]

    def __init__(self, *args: Any, actor: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.actor = actor
        team = self.fields["team"]
        if isinstance(team, forms.ModelChoiceField):
            team.queryset = Team.objects.all()

    def clean_role(self) -> str:
        """Refuse a change of one's own role and the loss of the last admin."""
        role = self.cleaned_data["role"]
        before = User.objects.filter(pk=self.instance.pk).values_list("role", flat=True).first()
        if before is None or role == before:
            return role
        if self.instance.pk == self.actor.pk:
            raise forms.ValidationError("You cannot change your own role: ask another admin.")
        others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=self.instance.pk)
        if before == Role.ADMIN and not others.exists():
            raise forms.ValidationError("This is the last admin: make another admin first.")
        return role

    def clean_email(self) -> str:
        """Lower-case the address and refuse one in use."""
        email = self.cleaned_data["email"].strip().lower()
        if email and User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("Another user has this e-mail address.")
        return email


class UserChoiceField(forms.ModelChoiceField):
    """A choice of users by name and role."""

    def label_from_instance(self, obj: User) -> str:
        """Return the name with the role."""
        return f"{obj.display_name} ({obj.get_role_display()})"


class DeactivateForm(forms.Form):
    """Who takes over a user's open work."""

    successor = UserChoiceField(
        queryset=User.objects.none(),
        required=False,
        empty_label="Nobody",
        help_text="Open records, segments and tasks go to this person. Closed deals keep their owner.",
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["successor"]
        assert isinstance(field, UserChoiceField)
        active = User.objects.filter(is_active=True).exclude(pk=user.pk).exclude(role=Role.INTEGRATION)
        field.queryset = active.order_by("username")


class NotificationForm(forms.Form):
    """What a user wants to get by e-mail, and in which time zone the user's days begin."""

    reminders = forms.BooleanField(required=False, label="Reminders of tasks, by e-mail")
    mentions = forms.BooleanField(required=False, label="Mentions in notes, by e-mail")
    digest = forms.BooleanField(
        required=False, label="My day at 7 in the morning, by e-mail", help_text="Only on days when there is something."
    )
    time_zone = forms.ChoiceField(required=False, label="Time zone", help_text="Your days begin by it.")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        zones = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
        field.choices = [("", "The organisation's"), *((zone, zone.replace("_", " ")) for zone in zones)]
        field.widget.attrs["class"] = "zone-choice"

    @classmethod
    def of(cls, user: User) -> "NotificationForm":
        """Return the form with what the user chose so far (4 queries)."""
        initial: dict[str, Any] = {name: is_on(user, f"email.{name}") for name in ("reminders", "mentions", "digest")}
        return cls(user=user, initial={**initial, "time_zone": preference(user, "time_zone").get("name", "")})

    def save(self) -> None:
        """Keep the choices (8 queries)."""
        for name in ("reminders", "mentions", "digest"):
            prefer(self.user, f"email.{name}", {"on": self.cleaned_data[name]})
        prefer(self.user, "time_zone", {"name": self.cleaned_data["time_zone"]})
