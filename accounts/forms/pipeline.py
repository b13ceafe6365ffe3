"""Forms of the pipeline: moving a deal, its next step, lines, people and what was said; a contact's new job."""

import datetime as dt
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from segmentation_crm.common.access import AnyUser, can

from ..choices import BuyingRole, Stance, Vocabulary
from ..models import Account, Contact, Opportunity, OpportunityContact, OpportunityLine, Product, Stage
from ..queries import accounts_visible_to
from ..queries.pipeline import local_today
from ..services.normalisation import normalise_email
from ..services.opportunities import NO_LOST_REASON
from .controls import CurrencyField, OpenTagsField, RecordField, TagsField, TreeField

AMOUNT = {"max_digits": 20, "decimal_places": 4, "required": False}


def date_field(label: str, **kwargs: Any) -> forms.DateField:
    """Return a date with the browser's own control."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget, **kwargs)


class MoveForm(forms.Form):
    """To which stage a deal goes, and what is asked when it is closed."""

    stage = forms.ModelChoiceField(queryset=Stage.objects.filter(is_active=True), to_field_name="slug")
    version = forms.IntegerField(min_value=1)
    lost_reason = TreeField(Vocabulary.LOST_REASON, "Why was it lost?")
    objections = TagsField(Vocabulary.OBJECTION, "Objections we heard")
    competitors = TagsField(Vocabulary.COMPETITOR, "Competitors in the deal")
    closed_on = date_field("Closed on")
    amount = forms.DecimalField(label="Amount", **AMOUNT)  # type: ignore[arg-type]
    note = forms.CharField(label="Note", required=False, max_length=5000, widget=forms.Textarea(attrs={"rows": 2}))

    def __init__(self, *args: Any, opportunity: Opportunity | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.opportunity = opportunity
        for name, field in self.fields.items():
            field.widget.attrs["id"] = f"move_{name}"
        if opportunity is not None and opportunity.pipeline_id:
            stages = Stage.objects.filter(is_active=True, pipeline=opportunity.pipeline_id)
            stage_field = self.fields["stage"]
            assert isinstance(stage_field, forms.ModelChoiceField)
            stage_field.queryset = stages
            stage_field.error_messages["invalid_choice"] = "Choose a stage of this deal's pipeline that is in use."

    def clean_closed_on(self) -> dt.date | None:
        """Refuse a day that has not come."""
        day = self.cleaned_data["closed_on"]
        if day is not None and day > local_today():
            raise ValidationError("A deal cannot be closed in the future. Give today or an earlier day.")
        return day

    def clean(self) -> dict[str, Any]:
        """Ask why a deal was lost."""
        cleaned = super().clean() or self.cleaned_data
        stage = cleaned.get("stage")
        if stage is not None and stage.is_lost and "lost_reason" not in self.errors and not cleaned.get("lost_reason"):
            self.add_error("lost_reason", NO_LOST_REASON)
        return cleaned


class NextStepForm(forms.Form):
    """What is to be done next, and until when."""

    next_step = forms.CharField(label="Next step", required=False, max_length=500)
    next_step_due = date_field("Due")


class SaidForm(forms.Form):
    """Objections and competitors of a deal."""

    objections = OpenTagsField(Vocabulary.OBJECTION, "Objections")
    competitors = OpenTagsField(Vocabulary.COMPETITOR, "Competitors")

    def __init__(self, *args: Any, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if can(user, "vocabularies.write"):
            for field in self.fields.values():
                assert isinstance(field, OpenTagsField)
                field.allow_new()


class LineForm(forms.ModelForm):
    """A line: product, quantity, price and discount in per cent; the amount follows where it is left empty."""

    product = forms.ModelChoiceField(queryset=Product.objects.none(), required=False)
    discount_pct = forms.DecimalField(
        label="Discount %", required=False, min_value=0, max_value=100, max_digits=7, decimal_places=4
    )
    unit_price_currency = CurrencyField("Currency")

    class Meta:
        model = OpportunityLine
        fields: ClassVar[list[str]] = ["product", "product_text", "quantity", "unit_price", "unit_price_currency"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["product"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Product.objects.filter(is_active=True).order_by("name")
        if self.instance.product_id:
            field.queryset = field.queryset | Product.objects.filter(pk=self.instance.product_id)

    @property
    def html_id(self) -> str:
        """Return the id of the <form> that the line's controls belong to."""
        return f"line-{self.instance.pk or 'new'}"

    def clean(self) -> dict[str, Any]:
        """Refuse a line that sells nothing."""
        cleaned = super().clean() or self.cleaned_data
        if "product" not in self.errors and not cleaned.get("product") and not cleaned.get("product_text", "").strip():
            self.add_error("product", "Choose a product, or write what is sold.")
        quantity = cleaned.get("quantity")
        if quantity is not None and quantity < 0:
            self.add_error("quantity", "Give a quantity of 0 or more.")
        return cleaned

    def save(self, commit: bool = True) -> Any:
        """Save the line; its amount is computed anew from quantity, price and discount."""
        line = super().save(commit=False)
        pct = self.cleaned_data.get("discount_pct")
        line.discount = None if pct is None else pct / 100
        if line.quantity is not None and line.unit_price is not None:
            line.amount = None  # the service computes it
        if commit:
            line.save()
        return line


class PersonForm(forms.ModelForm):
    """The part of a person in a deal; whom one may add are the contacts one sees."""

    class Meta:
        model = OpportunityContact
        fields: ClassVar[list[str]] = ["contact", "role", "stance", "influence"]

    influence = forms.IntegerField(required=False, min_value=1, max_value=5)
    role = forms.ChoiceField(choices=[("", "No role"), *BuyingRole.choices], required=False)
    stance = forms.ChoiceField(choices=[("", "Unknown"), *Stance.choices], required=False)

    def __init__(self, *args: Any, contacts: "QuerySet[Contact]", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["contact"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = contacts
        field.error_messages["required"] = "Choose a person."
        if self.instance.pk:
            del self.fields["contact"]

    def clean(self) -> dict[str, Any]:
        """Refuse the same role twice for one person."""
        cleaned = super().clean() or self.cleaned_data
        contact = cleaned.get("contact") or self.instance.contact_id
        same = OpportunityContact.objects.filter(
            opportunity=self.instance.opportunity_id, contact=contact, role=cleaned.get("role", "")
        ).exclude(pk=self.instance.pk)
        if contact and same.exists():
            self.add_error("role", "This person has that role in this deal already. Choose another role.")
        return cleaned


class JobChangeForm(forms.Form):
    """A contact's new job: where, as what, since when, and which e-mail address."""

    account = RecordField("account", "New account", help_text="Empty: unknown, or not working.")
    job_title = forms.CharField(label="New job title", required=False, max_length=200)
    on = date_field("Since", help_text="The last day of the old job. Empty: today.")
    email = forms.CharField(label="New e-mail", required=False, max_length=254, help_text="Empty: not known.")
    old_email_ends = forms.BooleanField(
        label="The old e-mail address no longer works", required=False, help_text="Take it off the contact."
    )
    keep_roles = forms.BooleanField(
        label="Keep the buying roles", required=False, help_text="They belonged to the old job; unticked they go."
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, contact: Contact, user: AnyUser, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contact = contact
        self.initial.setdefault("version", contact.version)
        field = self.fields["account"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = accounts_visible_to(user)

    def clean_account(self) -> Account | None:
        """Refuse the account where the contact works already."""
        account = self.cleaned_data["account"]
        if account is not None and account.pk == self.contact.account_id:
            raise ValidationError(
                f"{self.contact.name} works there already. To change the title only, edit the contact."
            )
        return account

    def clean_on(self) -> dt.date | None:
        """Refuse a day that has not come."""
        day = self.cleaned_data["on"]
        if day is not None and day > local_today():
            raise ValidationError("Give today or an earlier day: a job change counts once it has happened.")
        return day

    def clean_email(self) -> str:
        """Return the address as it is kept; refuse a text that is none, and one of another contact."""
        text = self.cleaned_data["email"].strip()
        email = normalise_email(text)
        if text and not email:
            raise ValidationError(f"“{text}” is no e-mail address. Give one such as name@example.com.")
        if email and Contact.objects.live().filter(email=email).exclude(pk=self.contact.pk).exists():
            raise ValidationError("Another contact already has this e-mail address.")
        return email

    def clean(self) -> dict[str, Any]:
        """Refuse a job change that changes nothing, or over somebody else's change."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("version") is not None and cleaned["version"] != self.contact.version:
            raise ValidationError("Somebody changed this contact meanwhile. Reload the page and enter the job again.")
        if not self.errors and cleaned.get("account") is None and self.contact.account_id is None:
            self.add_error("account", "Choose the account where this person works now.")
        return cleaned
