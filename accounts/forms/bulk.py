"""What bulk acts on accounts, contacts, opportunities and tasks ask before they run."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from segmentation_crm.common.access import can
from segmentation_crm.common.bulk import ActionForm
from segmentation_crm.common.local_time import LocalDay, check_year, zone_of
from segmentation_crm.common.models import User

from ..choices import Vocabulary
from ..services.bulk_editing import CUSTOM, EDITABLE, NEVER_EMPTY, stored_value
from ..services.vocabularies import get_or_add_term
from .controls import TagsField
from .custom import PREFIX
from .records import AccountForm, ContactForm, OpportunityForm

FORMS: dict[str, Any] = {"account": AccountForm, "contact": ContactForm, "opportunity": OpportunityForm}


class BulkEditForm(ActionForm):
    """One field and its new value; the value's control is the one of the record's own form, and so are its rules."""

    field = forms.ChoiceField(label="Field", widget=forms.Select(attrs={"data-reload": ""}))
    clear = forms.BooleanField(
        required=False, label="Empty the field", help_text="Instead of giving it a value: what stands there goes."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        template = FORMS[self.record](user=self.user)
        names = [name for name in EDITABLE[self.record] if name in template.fields]
        custom = [name for name in template.fields if name.startswith(PREFIX)]
        self.controls = {name: template.fields[name] for name in names}
        self.controls |= {f"{CUSTOM}{name.removeprefix(PREFIX)}": template.fields[name] for name in custom}
        labels = {
            name: str(field.label or name.replace("_", " ").capitalize()) for name, field in self.controls.items()
        }
        own = [
            (f"{CUSTOM}{name.removeprefix(PREFIX)}", labels[f"{CUSTOM}{name.removeprefix(PREFIX)}"]) for name in custom
        ]
        choices: list[Any] = [("", "Choose a field"), *((name, labels[name]) for name in names)]
        if own:
            choices.append(("Custom fields", own))
        self.labels = labels
        choice = self.fields["field"]
        assert isinstance(choice, forms.ChoiceField)
        choice.choices = choices
        self.chosen = str((self.data if self.is_bound else self.initial).get("field") or "")
        self._show_value()

    def _show_value(self) -> None:
        control = self.controls.get(self.chosen)
        if control is None:
            del self.fields["clear"]
            return
        control.required = False
        control.label = "New value"
        is_yes_or_no = isinstance(control, forms.BooleanField)
        if is_yes_or_no:
            # A box that is not ticked says "no" here, not "nothing".
            control = forms.TypedChoiceField(
                label="New value", choices=[("true", "Yes"), ("false", "No")], coerce=lambda text: text == "true"
            )
        if self.chosen in NEVER_EMPTY or is_yes_or_no:
            del self.fields["clear"]
        self.fields["value"] = control
        self.order_fields(["field", "value", "clear"])

    def clean(self) -> dict[str, Any]:
        """Ask for a value, or for the wish to empty the field: nothing chosen must not wipe what stands."""
        cleaned = super().clean() or self.cleaned_data
        if "value" not in self.fields or "value" in self.errors:
            return cleaned
        value, clear = cleaned.get("value"), cleaned.get("clear")
        is_given = not (value is None or value == "" or (hasattr(value, "__len__") and len(value) == 0))
        if clear and is_given:
            self.add_error("clear", "Either a value or an empty field: take one of the two away.")
        elif not clear and not is_given:
            words = "Choose a value." if "clear" not in self.fields else "Give a value, or tick “Empty the field”."
            self.add_error("value", words)
        return cleaned

    def clean_value(self) -> Any:
        """Check by the record's own form what it checks of this field (subdivision, stage …)."""
        value = self.cleaned_data["value"]
        if self.chosen == "subdivision" and value:
            checked = AccountForm({"subdivision": value}, user=self.user)
            checked.is_valid()
            if errors := checked.errors.get("subdivision"):
                raise ValidationError(list(errors))
            return checked.cleaned_data["subdivision"]
        if isinstance(value, str):
            return value.strip()
        return value

    def params(self) -> dict[str, Any]:
        """Return the field and its value as JSON; None empties it."""
        value = None if self.cleaned_data.get("clear") else self.cleaned_data["value"]
        if isinstance(value, QuerySet):
            value = list(value.values_list("pk", flat=True))
        return {"field": self.chosen, "value": stored_value(self.record, self.chosen, value)}

    def words(self) -> str:
        """Return "Set Tier to 1" or "Empty Tier"."""
        label = self.labels[self.chosen]
        if self.cleaned_data.get("clear"):
            return f"Empty {label}"
        return f"Set {label} to “{self._shown(self.cleaned_data['value'])}”"

    def _shown(self, value: Any) -> str:
        choices = getattr(self.fields["value"], "choices", None)
        if isinstance(self.fields["value"], forms.ModelChoiceField):
            return str(value).strip()
        labels = {str(key): str(label) for key, label in choices or [] if not isinstance(label, list | tuple)}
        values = value if isinstance(value, list | tuple) else [value]
        if isinstance(value, bool):
            return "Yes" if value else "No"
        return ", ".join(labels.get(str(one), str(one)) for one in values)


class AddTagsForm(ActionForm):
    """Tags to add; who keeps vocabularies may name a new one."""

    tags = TagsField(Vocabulary.TAG, "Tags")
    new_tag = forms.CharField(
        required=False, max_length=120, label="New tag", help_text="Made where there is none yet."
    )
    way = "add"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not can(self.user, "vocabularies.write") or self.way != "add":
            del self.fields["new_tag"]

    def clean(self) -> dict[str, Any]:
        """Ask for at least one tag."""
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned.get("tags") and not cleaned.get("new_tag"):
            self.add_error("tags", "Choose a tag.")
        return cleaned

    def params(self) -> dict[str, Any]:
        """Return the ids of the tags; a new one is made here."""
        ids = [term.pk for term in self.cleaned_data["tags"]]
        if self.cleaned_data.get("new_tag"):
            ids.append(get_or_add_term(Vocabulary.TAG, self.cleaned_data["new_tag"])[0].pk)
        return {"tags": sorted(set(ids)), "way": self.way}

    def words(self) -> str:
        """Return "Add the tag “Event 2026”"."""
        names = [term.name for term in self.cleaned_data["tags"]]
        if self.cleaned_data.get("new_tag"):
            names.append(self.cleaned_data["new_tag"])
        shown = ", ".join(f"“{name}”" for name in names)
        verb = "Add" if self.way == "add" else "Remove"
        return f"{verb} the {'tag' if len(names) == 1 else 'tags'} {shown}"


class RemoveTagsForm(AddTagsForm):
    """Tags to take away."""

    way = "remove"


class OwnerForm(ActionForm):
    """Who gets the records."""

    owner = forms.ModelChoiceField(
        queryset=User.objects.none(), required=False, empty_label="Nobody", label="New owner"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["owner"]
        assert isinstance(field, forms.ModelChoiceField)
        people = User.objects.filter(is_active=True).exclude(role="integration")
        field.queryset = people.order_by("first_name", "username")
        field.label_from_instance = lambda person: person.display_name  # type: ignore[method-assign,assignment]

    def params(self) -> dict[str, Any]:
        """Return the new owner's id, or None."""
        owner = self.cleaned_data["owner"]
        return {"owner": owner.pk if owner else None}

    def words(self) -> str:
        """Return "Assign to Rita Ray"."""
        owner = self.cleaned_data["owner"]
        return f"Assign to {owner.display_name}" if owner else "Take the owner away"


class PostponeForm(ActionForm):
    """The day to which tasks move; they are then due at nine."""

    due_on = forms.DateField(
        label="New day", widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"), help_text="At 9:00."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone_of(self.user)
        self.initial.setdefault("due_on", LocalDay.today(self.zone).plus(1).date)

    def clean_due_on(self) -> dt.date:
        """Refuse a day that is over."""
        day = self.cleaned_data["due_on"]
        if day < timezone.now().astimezone(self.zone).date():
            raise ValidationError("This day is over. Choose today or later.")
        check_year(day)
        return day

    def params(self) -> dict[str, Any]:
        """Return the moment, ISO."""
        return {"due_at": LocalDay(self.zone, self.cleaned_data["due_on"]).at(9).isoformat()}

    def words(self) -> str:
        """Return "Postpone to 3 March 2026"."""
        return f"Postpone to {self.cleaned_data['due_on']:%-d %B %Y}"
