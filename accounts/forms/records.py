"""Forms of accounts, contacts and opportunities."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from segmentation_crm.common.access import can, visibility
from segmentation_crm.common.models import User

from ..choices import BuyingRole, Vocabulary
from ..fields.places import SUBDIVISIONS
from ..models import Account, Contact, IndustryCode, Opportunity, Persona, Pipeline, Product, Stage
from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to
from ..services.accounts import check_parent
from ..services.custom_fields import set_custom_values
from ..services.multi_values import set_multi_values
from ..services.normalisation import normalise_domain, normalise_email
from ..services.opportunities import check_lost_reason
from .controls import CurrencyField, MultiPicker, RecordField, TagsField, TreeField, country_field
from .custom import PREFIX, changed_custom, custom_controls

SUBDIVISION_CODES = frozenset(choice.value for choice in SUBDIVISIONS)
DAY = {"type": "date"}
NO_CHOICE = "–"
MEANWHILE = (
    "Somebody changed this record while you were editing it. Open it in another window to see what is new, then "
    "save again here to keep your version."
)
Rows = list[list[str]]


def day_input() -> forms.DateInput:
    """Return the browser's own date control."""
    return forms.DateInput(attrs=DAY, format="%Y-%m-%d")


class RecordForm(forms.ModelForm):
    """What the forms of records share: sections, owners, multi and custom fields, no silent overwriting.

    `version` is the record's as the form was shown; a save over a newer one is refused with words.
    """

    record_type: ClassVar[str] = ""
    layout: ClassVar[list[tuple[str, Rows]]] = []
    term_fields: ClassVar[dict[str, str]] = {}  # form field -> multi field of terms
    token_fields: ClassVar[dict[str, str]] = {}  # form field -> multi field of tokens

    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        # References to records that the user may not see: an empty control must not take them away.
        self.kept: set[str] = set()
        self.was_version = self.instance.version if self.instance.pk else None
        self.initial["version"] = self.was_version
        controls, values = custom_controls(self.record_type, self.instance)
        self.fields.update(controls)
        self.initial.update(values)
        self.initial.update(self._multi_initial())
        self._limit_owners()
        self._plain_values()

    def visible(self) -> QuerySet:
        """Return the records of this kind that the user sees."""
        raise NotImplementedError

    def _multi_initial(self) -> dict[str, Any]:
        if not self.instance.pk or not (self.term_fields or self.token_fields):
            return {}
        rows = list(self.instance.values_multi.all())
        terms = {form: [row.term_id for row in rows if row.field == field] for form, field in self.term_fields.items()}
        tokens = {form: [row.token for row in rows if row.field == field] for form, field in self.token_fields.items()}
        return {**terms, **tokens}

    def _limit_owners(self) -> None:
        """Offer active people; who may not hand over records sees only themselves and the owner as it is."""
        for name in ("owner", "sdr"):
            field = self.fields.get(name)
            if not isinstance(field, forms.ModelChoiceField):
                continue
            held = getattr(self.instance, f"{name}_id", None)
            offered = Q(is_active=True) & ~Q(role="integration")
            if not can(self.user, "records.assign"):
                offered &= Q(pk=self.user.pk) if held is None else Q(pk__in=[])
            field.queryset = User.objects.filter(offered | Q(pk=held)).order_by("first_name", "username")
            field.label_from_instance = lambda person: person.display_name  # type: ignore[method-assign,assignment]
            field.empty_label = "Nobody"
        if not self.instance.pk and not visibility(self.user).everything and "owner" in self.fields:
            self.initial.setdefault("owner", self.user.pk)

    def _plain_values(self) -> None:
        """Show figures without trailing zeros, and a dash for "no choice"."""
        for name, field in self.fields.items():
            value = self.initial.get(name)
            if isinstance(value, Decimal):
                self.initial[name] = format(value.normalize(), "f")
            if isinstance(field, forms.ModelChoiceField) and field.empty_label == "---------":
                field.empty_label = NO_CHOICE
            elif isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
                choices: Any = field.choices
                if not callable(choices):
                    field.choices = [(v, NO_CHOICE if v == "" else label) for v, label in choices]

    def keep_only(self, names: Iterable[str]) -> None:
        """Leave these fields alone in the form: the others stay as the record has them."""
        wanted = {*names, "version"}
        for name in [name for name in self.fields if name not in wanted]:
            del self.fields[name]

    def given(self, name: str) -> Any:
        """Return what a field holds once the form is saved: as given, as it stands where the form lacks it."""
        return self.cleaned_data.get(name) if name in self.fields else getattr(self.instance, name)

    @property
    def sections(self) -> list[dict[str, Any]]:
        """Return the form's fields in their sections; each row holds one field or a few that belong together."""
        found = [
            {"title": title, "rows": [[self[name] for name in row if name in self.fields] for row in rows]}
            for title, rows in self.layout
        ]
        custom = [[self[name]] for name in self.fields if name.startswith(PREFIX)]
        return [*found, {"title": "Custom fields", "rows": custom}] if custom else found

    def clean(self) -> dict[str, Any]:
        """Refuse to write over a change made in the meantime."""
        cleaned = super().clean() or self.cleaned_data
        cleaned.update({name: getattr(self.instance, name) for name in self.kept if name in cleaned})
        given = cleaned.get("version")
        if self.was_version is not None and given is not None and given != self.was_version:
            raise ValidationError(MEANWHILE)
        return cleaned

    def save_safely(self) -> Any:
        """Save like `save_if_seen`; what another person took at the same moment becomes an error on the form."""
        try:
            return self.save_if_seen()
        except IntegrityError:
            if not self.was_version:
                self.instance.pk, self.instance._state.adding = None, True
            self.add_error(None, "Another record took the same name, domain or address a moment ago. Change yours.")
            return None

    def save_if_seen(self) -> Any:
        """Save and return the record; None, with an error on the form, where that would lose something.

        Refused: a change made by somebody else in the meantime, and a record its maker would not see.
        """
        was_new = self.instance.pk is None
        with transaction.atomic():
            rows = self._meta.model._default_manager.select_for_update()
            if not was_new and not rows.filter(pk=self.instance.pk, version=self.was_version).exists():
                self.add_error(None, MEANWHILE)
                return None
            record = self.save()
            if not (was_new or not can(self.user, "records.assign")) or self.visible().filter(pk=record.pk).exists():
                return record
            transaction.set_rollback(True)
        if was_new:
            self.instance.pk = None
            self.instance._state.adding = True
        self.add_error(None, "You would not see this record afterwards. Make yourself its owner, or name its account.")
        return None

    def save(self, commit: bool = True) -> Any:
        """Write the record with its multi and custom values in one transaction."""
        with transaction.atomic():
            record = super().save(commit)
            for form, field in {**self.term_fields, **self.token_fields}.items():
                if form in self.fields and form in self.changed_data:
                    set_multi_values(record, field, self.cleaned_data[form])
            custom = changed_custom(self)
            if custom:
                set_custom_values(record, custom)
        return record


class AccountForm(RecordForm):
    """An account, by the fields a person fills by hand; the rest comes by import and API."""

    record_type = "account"
    layout = [
        (
            "Who they are",
            [
                ["name"],
                ["domain", "website"],
                ["account_type", "lifecycle_stage"],
                ["industry", "sales_region"],
                ["sic_code", "naics_code"],
                ["employee_count", "founded_year"],
                ["annual_revenue", "annual_revenue_currency"],
                ["ownership", "growth_stage"],
                ["parent_account"],
            ],
        ),
        ("Where they are", [["street"], ["postal_code", "city"], ["country", "subdivision"], ["phone"]]),
        ("How they buy", [["purchasing_policy", "purchase_centralisation"], ["relationship", "urgency"]]),
        ("Who looks after them", [["owner", "sdr"], ["tier", "sophistication"], ["tags"], ["do_not_contact"]]),
    ]
    term_fields = {"tags": "tags"}

    industry = TreeField(Vocabulary.INDUSTRY, "Industry")
    sales_region = TreeField(Vocabulary.SALES_REGION, "Sales region")
    sic_code = RecordField("sic", "SIC code")
    naics_code = RecordField("naics", "NAICS code")
    parent_account = RecordField("account", "Parent account")
    country = country_field()
    annual_revenue_currency = CurrencyField()
    founded_year = forms.IntegerField(min_value=1, max_value=9999, required=False, label="Founded in")
    subdivision = forms.CharField(
        max_length=60,
        required=False,
        label="State or province",
        help_text="By its code of ISO 3166-2, such as US-CA.",
    )
    tags = TagsField(Vocabulary.TAG, "Tags")

    class Meta:
        model = Account
        fields = [
            "name", "domain", "website", "account_type", "lifecycle_stage", "industry", "sales_region", "sic_code",
            "naics_code", "employee_count", "founded_year", "annual_revenue", "annual_revenue_currency", "ownership",
            "growth_stage", "parent_account", "street", "postal_code", "city", "country", "subdivision", "phone",
            "purchasing_policy", "purchase_centralisation", "relationship", "urgency", "owner", "sdr", "tier",
            "sophistication", "do_not_contact",
        ]  # fmt: skip
        labels = {"employee_count": "Employees", "sdr": "SDR"}
        help_texts = {"domain": "Without www, such as example.com. Contacts are joined to the account by it."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_rows(self, "sic_code", IndustryCode.objects.filter(system="sic"))
        set_rows(self, "naics_code", IndustryCode.objects.filter(system="naics"))
        set_rows(self, "parent_account", self.visible().exclude(pk=self.instance.pk))

    def visible(self) -> QuerySet:
        """Return the accounts the user sees."""
        return accounts_visible_to(self.user)

    def clean_domain(self) -> str:
        """Return the bare domain; refuse a text that is none."""
        text = self.cleaned_data["domain"].strip()
        domain = normalise_domain(text)
        if text and not domain:
            raise ValidationError(f"“{text}” is no web domain. Give one such as example.com.")
        if domain and Account.objects.live().filter(domain=domain).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Another account already has this domain.")
        return domain

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        try:
            check_parent(self.instance)
        except ValidationError as error:
            self.add_error(None, error)

    def clean_subdivision(self) -> str:
        """Return the code in capitals; refuse one that is not of ISO 3166-2."""
        code = self.cleaned_data["subdivision"].strip().upper()
        if code and code not in SUBDIVISION_CODES:
            raise ValidationError(f"“{code}” is no code of ISO 3166-2. Use one such as US-CA or DE-BY.")
        return code

    def clean_account_type(self) -> str:
        """Refuse an empty type: every account has one."""
        if not self.cleaned_data["account_type"]:
            raise ValidationError("Choose a type; “Prospect” where nothing else is known.")
        return self.cleaned_data["account_type"]


class ContactForm(RecordForm):
    """A contact, by the fields a person fills by hand."""

    record_type = "contact"
    layout = [
        (
            "Who they are",
            [
                ["first_name", "last_name"],
                ["email"],
                ["phone", "mobile"],
                ["account", "company_name_given"],
                ["job_title"],
                ["seniority", "department"],
                ["buying_roles"],
                ["persona"],
            ],
        ),
        ("Where they are", [["country", "language"], ["linkedin_url"]]),
        (
            "Where they stand",
            [["lifecycle_stage", "lead_status"], ["owner"], ["preferred_channel"], ["tags"], ["do_not_contact"]],
        ),
    ]
    term_fields = {"tags": "tags"}
    token_fields = {"buying_roles": "buying_roles"}

    account = RecordField("account", "Account")
    country = country_field()
    tags = TagsField(Vocabulary.TAG, "Tags")
    buying_roles = forms.MultipleChoiceField(
        choices=BuyingRole.choices, required=False, widget=MultiPicker(), label="Buying roles"
    )
    persona = forms.ModelChoiceField(queryset=Persona.objects.order_by("name"), required=False)

    class Meta:
        model = Contact
        fields = [
            "first_name", "last_name", "email", "phone", "mobile", "account", "company_name_given", "job_title",
            "seniority", "department", "persona", "country", "language", "linkedin_url", "lifecycle_stage",
            "lead_status", "owner", "preferred_channel", "do_not_contact",
        ]  # fmt: skip
        labels = {"email": "E-mail", "linkedin_url": "LinkedIn page", "company_name_given": "Company as they gave it"}
        help_texts = {"mobile": "With the country, such as +49 170 1234567.", "language": "Such as en or de-CH."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_rows(self, "account", accounts_visible_to(self.user))

    def visible(self) -> QuerySet:
        """Return the contacts the user sees."""
        return contacts_visible_to(self.user)

    def clean_email(self) -> str:
        """Return the address as it is kept; refuse a text that is none."""
        text = self.cleaned_data["email"].strip()
        email = normalise_email(text)
        if text and not email:
            raise ValidationError(f"“{text}” is no e-mail address. Give one such as name@example.com.")
        if email and Contact.objects.live().filter(email=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError("Another contact already has this e-mail address.")
        return email

    def clean(self) -> dict[str, Any]:
        """Refuse a contact without any name."""
        cleaned = super().clean()
        if not any(self.given(name) for name in ("first_name", "last_name", "email")):
            place = "last_name" if "last_name" in self.fields else None
            self.add_error(place, "Give a name or an e-mail address: without one nobody could tell who it is.")
        return cleaned


class OpportunityForm(RecordForm):
    """An opportunity, by the fields a person fills by hand."""

    record_type = "opportunity"
    layout = [
        (
            "The deal",
            [
                ["name"],
                ["account"],
                ["pipeline", "stage"],
                ["type", "forecast_category"],
                ["amount", "amount_currency"],
                ["probability"],
                ["product"],
                ["owner"],
            ],
        ),
        ("When and what next", [["opened_on", "expected_close"], ["next_step"], ["next_step_due"]]),
        ("Why", [["primary_need"], ["lead_source", "lost_reason"]]),
    ]

    account = RecordField("account", "Account")
    amount_currency = CurrencyField()
    stage = forms.ModelChoiceField(queryset=Stage.objects.filter(is_active=True).order_by("pipeline", "position"))
    pipeline = forms.ModelChoiceField(queryset=Pipeline.objects.order_by("position"), required=False)
    product = forms.ModelChoiceField(queryset=Product.objects.filter(is_active=True).order_by("name"), required=False)
    primary_need = TreeField(Vocabulary.NEED, "Primary need")
    lead_source = TreeField(Vocabulary.LEAD_SOURCE, "Lead source")
    lost_reason = TreeField(Vocabulary.LOST_REASON, "Lost reason")

    class Meta:
        model = Opportunity
        fields = [
            "name", "account", "pipeline", "stage", "type", "forecast_category", "amount", "amount_currency",
            "probability", "product", "owner", "opened_on", "expected_close", "next_step", "next_step_due",
            "primary_need", "lead_source", "lost_reason",
        ]  # fmt: skip
        widgets = {"opened_on": day_input(), "expected_close": day_input(), "next_step_due": day_input()}
        help_texts = {"probability": "A fraction: 0.25 is 25 %."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        set_rows(self, "account", accounts_visible_to(self.user))

    def visible(self) -> QuerySet:
        """Return the opportunities the user sees."""
        return opportunities_visible_to(self.user)

    def clean(self) -> dict[str, Any]:
        """Take the pipeline from the stage; refuse a stage of another pipeline."""
        cleaned = super().clean()
        stage, pipeline = cleaned.get("stage"), cleaned.get("pipeline")
        if stage and pipeline and stage.pipeline_id != pipeline.pk:
            self.add_error("stage", f"“{stage}” is no stage of the pipeline “{pipeline}”. Choose one of its stages.")
        elif stage:
            cleaned["pipeline"] = stage.pipeline
        if {"stage", "lost_reason"} & set(self.changed_data):
            try:
                check_lost_reason(stage, cleaned.get("lost_reason"))
            except ValidationError as error:
                self.add_error(None, error)
        return cleaned


def set_rows(form: RecordForm, name: str, rows: QuerySet) -> None:
    """Give a reference its rows: what the user may name; one set to a hidden record is kept (0 or 1 query)."""
    field = form.fields[name]
    if isinstance(field, forms.ModelChoiceField):
        field.queryset = rows
        held = getattr(form.instance, f"{name}_id", None)
        if held is not None and not rows.filter(pk=held).exists():
            form.kept.add(name)
            field.widget.attrs["disabled"] = True
            field.help_text = "Set, but not visible to you; it stays as it is."
