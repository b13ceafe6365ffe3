"""Forms of the settings of words and fields: terms, merging, custom fields, catalogue entries."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from ..choices import TREE_VOCABULARIES, CatalogueKind, CustomFieldType, MemberRecord, Vocabulary
from ..models import CustomField, Persona, Product, TechnologyProduct, Term, Vendor
from ..queries import CATALOGUE_MODELS
from .controls import CurrencyField, Picker, RecordField, TreeField

ONE_A_LINE = forms.Textarea({"rows": 4})


def lines_of(text: str) -> list[str]:
    """Return the lines of a text that hold something, trimmed."""
    return [line.strip() for line in text.splitlines() if line.strip()]


class TermForm(forms.Form):
    """A word of a vocabulary."""

    name = forms.CharField(max_length=200)
    parent = RecordField("term", "Under", help_text="Empty: at the top.")
    aliases = forms.CharField(
        required=False,
        widget=ONE_A_LINE,
        label="Other spellings",
        help_text="One a line. Imports and rules find the word by them.",
    )
    need = RecordField("term-need", "Need", help_text="The need that interest in this topic hints at.")
    is_active = forms.BooleanField(
        required=False, initial=True, label="In use", help_text="Off: it stays on records but is offered no more."
    )

    def __init__(self, *args: Any, vocabulary: str, term: Term | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parent, need = self.fields["parent"], self.fields["need"]
        assert isinstance(parent, RecordField)
        assert isinstance(need, RecordField)
        if vocabulary in TREE_VOCABULARIES:
            others = Term.objects.filter(vocabulary=vocabulary)
            parent.queryset = others.exclude(path__startswith=term.path) if term else others
            parent.widget = Picker(f"term-{vocabulary}")
            parent.widget.choices = parent.choices
        else:
            del self.fields["parent"]
        if vocabulary == Vocabulary.TOPIC:
            need.queryset = Term.objects.filter(vocabulary=Vocabulary.NEED)
        else:
            del self.fields["need"]


class MergeForm(forms.Form):
    """Into which entry of the same list this one goes."""

    into = RecordField("term", "Merge into", required=True)

    def __init__(self, *args: Any, rows: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        into = self.fields["into"]
        assert isinstance(into, RecordField)
        into.queryset = rows
        if kind:
            into.widget = Picker(kind)
        else:
            into.widget = Picker()
        into.widget.choices = into.choices


class CustomFieldForm(forms.Form):
    """A field of the organisation's own; record, key and type stay once it is made."""

    record = forms.ChoiceField(choices=MemberRecord.choices, label="On")
    label = forms.CharField(max_length=120, help_text="As people see it in forms and lists.")
    key = forms.RegexField(
        r"^[a-z][a-z0-9_]{0,39}$",
        required=False,
        max_length=40,
        help_text="As rules, imports and the API name it: small letters, digits, underscores. Empty: made from the "
        "label. It never changes.",
        error_messages={"invalid": "Use small letters, digits and underscores, starting with a letter."},
    )
    type = forms.ChoiceField(choices=CustomFieldType.choices)
    choices = forms.CharField(
        required=False,
        widget=forms.Textarea({"rows": 5}),
        help_text="Of “Choice” and “Several choices”: one a line, as value or value | label.",
    )
    help = forms.CharField(required=False, max_length=300, label="Help", help_text="Shown below the field.")

    def __init__(self, *args: Any, field: CustomField | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.field = field
        if field is not None:
            for name in ("record", "key", "type"):
                self.fields[name].disabled = True
                self.fields[name].help_text = "Stays as it was made: rules and values rely on it."
            self.initial.update(
                record=field.record, key=field.key, type=field.type, label=field.label, help=field.help,
                choices="\n".join(choice_line(choice) for choice in field.choices),
            )  # fmt: skip

    def clean_choices(self) -> list[dict[str, str]]:
        """Return the lines as values with labels."""
        found = []
        for line in lines_of(self.cleaned_data["choices"]):
            value, _, label = line.partition("|")
            found.append({"value": value.strip(), "label": label.strip() or value.strip()})
        if len(found) > 1000:
            raise ValidationError("At most 1,000 choices; a longer list is a vocabulary.")
        return found

    def clean(self) -> dict[str, Any]:
        """Refuse choices where the type has none."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("choices") and cleaned.get("type") not in (CustomFieldType.ENUM, CustomFieldType.MULTI):
            self.add_error("choices", "Only “Choice” and “Several choices” take choices. Leave this empty.")
        return cleaned


def choice_line(choice: dict[str, str]) -> str:
    """Return a choice as it is typed."""
    value, label = str(choice.get("value", "")), str(choice.get("label", ""))
    return value if label in ("", value) else f"{value} | {label}"


class EntryForm(forms.ModelForm):
    """A catalogue entry; its slug is made from the name and stays."""

    def _post_clean(self) -> None:
        """Leave names, uniqueness and saving to the service."""

    def values(self) -> dict[str, Any]:
        """Return what the entry is to hold, the name apart."""
        return {name: value for name, value in self.cleaned_data.items() if name != "name"}


class ProductForm(EntryForm):
    """Something we sell."""

    category = TreeField(Vocabulary.PRODUCT_CATEGORY, "Category")
    list_price_currency = CurrencyField()

    class Meta:
        model = Product
        fields: ClassVar[list[str]] = ["name", "sku", "category", "list_price", "list_price_currency", "is_active"]
        labels: ClassVar[dict[str, str]] = {"sku": "SKU", "is_active": "On sale"}


class VendorForm(EntryForm):
    """A company that makes technologies."""

    class Meta:
        model = Vendor
        fields: ClassVar[list[str]] = ["name", "is_competitor"]
        labels: ClassVar[dict[str, str]] = {"is_competitor": "A competitor of ours"}


class TechnologyForm(EntryForm):
    """A technology that accounts use."""

    category = TreeField(Vocabulary.TECHNOLOGY_CATEGORY, "Category")

    class Meta:
        model = TechnologyProduct
        fields: ClassVar[list[str]] = [
            "name", "vendor", "category", "is_cloud_provider", "is_competitor", "is_integration_partner",
        ]  # fmt: skip
        widgets: ClassVar[dict[str, Any]] = {"vendor": Picker()}
        labels: ClassVar[dict[str, str]] = {
            "is_cloud_provider": "A cloud provider",
            "is_competitor": "A competitor of ours",
            "is_integration_partner": "An integration partner",
        }


class PersonaForm(EntryForm):
    """A typical person we talk to."""

    class Meta:
        model = Persona
        fields: ClassVar[list[str]] = ["name", "role", "text"]
        labels: ClassVar[dict[str, str]] = {"text": "Description", "role": "Usual buying role"}


ENTRY_FORMS: dict[str, type[EntryForm]] = {
    CatalogueKind.PRODUCT: ProductForm,
    CatalogueKind.TECHNOLOGY_PRODUCT: TechnologyForm,
    CatalogueKind.VENDOR: VendorForm,
    CatalogueKind.PERSONA: PersonaForm,
}
ENTRY_LABELS = {
    CatalogueKind.PRODUCT: ("product", "Products"),
    CatalogueKind.TECHNOLOGY_PRODUCT: ("technology", "Technologies"),
    CatalogueKind.VENDOR: ("vendor", "Vendors"),
    CatalogueKind.PERSONA: ("persona", "Personas"),
}


def entry_model(kind: str) -> Any:
    """Return the model of a catalogue."""
    return CATALOGUE_MODELS[kind]
