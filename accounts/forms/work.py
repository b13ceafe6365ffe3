"""Forms of work: the log dialog and tasks. Dates are the user's own; what is typed survives every error."""

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils import timezone

from segmentation_crm.common.access import can
from segmentation_crm.common.keys import keys_of
from segmentation_crm.common.local_time import LocalDay, check_year
from segmentation_crm.common.models import Role, User

from ..choices import EvidenceKind, TaskType
from ..models import Account, Contact, Opportunity, Task, Term
from ..queries.quick_log import named_record, open_deals_around, people_around
from ..services.quick_log import OUTCOMES, Entry, LogKind, Outcome
from .controls import NEW, Picker

FOLLOW_UPS = [("", "No"), ("1", "tomorrow"), ("3", "in 3 days"), ("7", "in a week"), ("14", "in 2 weeks")]
FOLLOW_UP_HOUR = 9
REMINDERS = [
    ("due", "When it is due"),
    ("morning", "In the morning of that day"),
    ("day_before", "A day before"),
    ("none", "Not at all"),
]
MORNING_HOUR = 8


def moment_input() -> forms.DateTimeInput:
    """Return a control for date and time."""
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def day_input() -> forms.DateInput:
    """Return a control for a day."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def reminder_time(choice: str, due_at: dt.datetime | None) -> dt.datetime | None:
    """Return the moment a choice of reminder means, in the zone in force; None without due time or reminder."""
    if due_at is None or choice not in {"due", "morning", "day_before"}:
        return None
    if choice == "due":
        return due_at
    if choice == "day_before":
        return due_at - dt.timedelta(days=1)
    zone: Any = timezone.get_current_timezone()
    return LocalDay.today(zone, due_at).at(MORNING_HOUR)


def reminder_choice(task: Task) -> str:
    """Return the choice by which a task's reminder was set, "none" without one; "due" for any other moment."""
    if task.remind_at is None:
        return "none" if task.pk else "due"
    for choice in ("due", "morning", "day_before"):
        if reminder_time(choice, task.due_at) == task.remind_at:
            return choice
    return "due"


def colleagues() -> "QuerySet[User]":
    """Return the people who may own a task."""
    return User.objects.filter(is_active=True).exclude(role=Role.INTEGRATION).order_by("first_name", "username")


class PersonField(forms.ModelChoiceField):
    """A choice of colleagues by name."""

    def label_from_instance(self, obj: User) -> str:
        """Return the name."""
        return obj.display_name


class QuickLogForm(forms.Form):
    """What the log dialog sends. Which fields count depends on `kind`."""

    token = forms.UUIDField(widget=forms.HiddenInput)
    record = forms.CharField(required=False, max_length=40)
    kind = forms.ChoiceField(choices=LogKind.choices)
    outcome = forms.CharField(required=False, max_length=20)
    meeting_outcome = forms.CharField(required=False, max_length=20)
    at = forms.DateTimeField(required=False, label="When", widget=moment_input(), validators=[check_year])
    minutes = forms.IntegerField(required=False, label="Minutes", min_value=0, max_value=1440)
    text = forms.CharField(
        required=False, label="What was said", max_length=20_000, widget=forms.Textarea(attrs={"rows": 3})
    )
    people = forms.ModelMultipleChoiceField(queryset=Contact.objects.none(), required=False)
    deal = forms.ModelChoiceField(queryset=Opportunity.objects.none(), required=False, label="Opportunity")
    next_step = forms.CharField(required=False, label="Next step", max_length=500)
    next_step_due = forms.DateField(required=False, label="By", widget=day_input(), validators=[check_year])
    follow_up = forms.ChoiceField(choices=FOLLOW_UPS, required=False, label="Follow up")
    task_title = forms.CharField(required=False, label="What is to be done", max_length=255)
    task_type = forms.ChoiceField(choices=TaskType.choices, required=False, label="Kind")
    task_due = forms.DateTimeField(required=False, label="Due", widget=moment_input(), validators=[check_year])
    task_owner = PersonField(queryset=User.objects.none(), required=False, label="Whose task")
    remind = forms.ChoiceField(choices=REMINDERS, required=False, label="Remind")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        named = (self.data.get("record") if self.is_bound else self.initial.get("record")) or ""
        self.about = named_record(user, str(named)[:40])
        for name, rows in (("people", people_around), ("deal", open_deals_around)):
            field: Any = self.fields[name]
            field.queryset = rows(user, self.about) if self.about is not None else field.queryset
            field.error_messages["invalid_choice"] = "Choose from those shown: this one does not belong to the record."
        owners: Any = self.fields["task_owner"]
        owners.queryset = colleagues()
        self.heard: dict[str, list[Term | str]] = {}

    def clean_record(self) -> Account | Contact | Opportunity:
        """Return the record.

        Raises ValidationError for none, or one that the user may not see.
        """
        if self.about is None:
            raise ValidationError("Choose the account, contact or opportunity that this is about.")
        return self.about

    def clean(self) -> dict[str, Any]:
        """Read the chips: each kind of evidence sends ids of terms under its own name."""
        cleaned = super().clean() or {}
        chosen = {kind: self.chosen(kind) for kind in EvidenceKind.values}
        terms = Term.objects.in_bulk({pk for ids in chosen.values() for pk in ids})
        for kind, ids in chosen.items():
            found = [terms[pk] for pk in ids if pk in terms and terms[pk].vocabulary == kind]
            if len(found) < len(ids):
                self.add_error(None, f"A {EvidenceKind(kind).label.lower()} that you chose is gone; choose another.")
            self.heard[kind] = [*found, *self._words_to_add(kind)]
        return cleaned

    def _words_to_add(self, kind: str) -> list[str]:
        words = self.new_words(kind)
        label = EvidenceKind(kind).label.lower()
        if words and not can(self.user, "vocabularies.write"):
            self.add_error(None, f"“{words[0][:80]}” is no {label} in the vocabulary. A manager can add it.")
        elif wrong := next((word for word in words if not word or len(word) > 200 or not word.isprintable()), None):
            self.add_error(None, f"“{wrong[:80]}” cannot be a {label}: use 1 to 200 printable characters.")
        return words

    def new_words(self, kind: str) -> list[str]:
        """Return the words of a kind that were sent to be added to its vocabulary, at most 20."""
        texts = self.data.getlist(kind) if hasattr(self.data, "getlist") else []
        words = [" ".join(text.removeprefix(NEW).split()) for text in texts if text.startswith(NEW)]
        return list(dict.fromkeys(words))[:20]

    def chosen(self, kind: str) -> list[int]:
        """Return the ids of the terms of a kind that were sent, at most 50."""
        texts = self.data.getlist(kind) if hasattr(self.data, "getlist") else []
        return keys_of(texts[:50])

    def entry(self) -> Entry:
        """Return what is to be logged."""
        data = self.cleaned_data
        kind = data["kind"]
        is_talk = kind in OUTCOMES
        says = kind in {LogKind.CALL, LogKind.MEETING, LogKind.NOTE}
        title, due = data["task_title"] if kind == LogKind.TASK else "", data["task_due"]
        if says and data["follow_up"]:
            zone: Any = timezone.get_current_timezone()
            title = data["task_title"] or f"Follow up with {data['record']}"[:255]
            due = LocalDay.today(zone).plus(int(data["follow_up"])).at(FOLLOW_UP_HOUR)
        outcome = data["outcome"] if kind == LogKind.CALL else data["meeting_outcome"]
        return Entry(
            kind=kind,
            record=data["record"],
            text=data["text"],
            outcome=outcome if is_talk else "",
            at=data["at"] if is_talk else None,
            minutes=data["minutes"] if is_talk else None,
            people=list(data["people"]) if is_talk else (),
            heard=self.heard if says else {},
            deal=data["deal"],
            next_step=data["next_step"] if kind != LogKind.TASK else "",
            next_step_due=data["next_step_due"],
            task_title=title,
            task_type=(data["task_type"] if kind == LogKind.TASK else "") or TaskType.FOLLOW_UP,
            task_due=due,
            task_owner=data["task_owner"] if kind == LogKind.TASK else None,
            remind_at=reminder_time(data["remind"] or "due", due),
        )


def outcome_choices(kind: LogKind) -> list[tuple[str, str]]:
    """Return the outcomes of a call or a meeting."""
    return [(str(choice), str(Outcome(choice).label)) for choice in OUTCOMES[kind]]


class TaskForm(forms.ModelForm):
    """A task by hand."""

    remind = forms.ChoiceField(choices=REMINDERS, label="Remind")
    owner = PersonField(queryset=User.objects.none(), required=False, label="Whose task")
    record = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)

    class Meta:
        model = Task
        fields = ["title", "type", "due_at", "owner", "outcome"]
        labels = {"title": "What is to be done", "type": "Kind", "due_at": "Due", "outcome": "How it went"}
        widgets = {"due_at": moment_input(), "type": Picker()}

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        owners: Any = self.fields["owner"]
        owners.queryset = colleagues()
        self.fields["remind"].initial = reminder_choice(self.instance)
        self.fields["due_at"].validators.append(check_year)
        if self.instance.pk is None:
            self.fields["owner"].initial = user.pk
            del self.fields["outcome"]
        named = (self.data.get("record") if self.is_bound else self.initial.get("record")) or ""
        self.about = named_record(user, str(named)[:40])

    def clean_record(self) -> Account | Contact | Opportunity | None:
        """Return the record, None for none; one that the user may not see is an error of the whole form."""
        if self.cleaned_data["record"] and self.about is None:
            self.add_error(None, "This record is not there, or not visible to you. Choose another.")
        return self.about

    def clean_type(self) -> str:
        """Return the kind; none is “Other”."""
        return self.cleaned_data["type"] or TaskType.OTHER

    def clean(self) -> dict[str, Any]:
        """Set the reminder; one that cannot ring is refused."""
        cleaned = super().clean() or {}
        due, choice = cleaned.get("due_at"), cleaned.get("remind", "none")
        kept = self.instance.remind_at
        if choice == reminder_choice(self.instance) and "due_at" not in self.changed_data and kept is not None:
            self.instance.remind_at = kept
        else:
            self.instance.remind_at = reminder_time(choice, due)
        return cleaned
