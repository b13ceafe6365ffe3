"""Forms of the settings of selling: pipelines, stages, role templates, territories, rates, the free-mail list."""

from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.core.exceptions import ValidationError

from segmentation_crm.common.models import Team, Territory, User

from ..choices import BuyingRole, RoleGroup, Vocabulary
from ..fields.places import COUNTRIES
from ..models import ExchangeRate, Pipeline, RoleTemplate, RoleTemplateRole, Stage, Term
from ..services.rates import checked_currency
from .controls import MultiPicker

OUTCOMES = [("open", "Open: the deal goes on"), ("won", "Won: closes the deal"), ("lost", "Lost: closes the deal")]


class PipelineForm(forms.Form):
    """A pipeline."""

    name = forms.CharField(max_length=120)
    stale_after_days = forms.IntegerField(
        min_value=1,
        max_value=3650,
        initial=30,
        label="Stale after",
        help_text="Days without a change of stage or an activity until an open deal is shown as stale.",
    )
    is_default = forms.BooleanField(
        required=False, label="Default", help_text="New deals start here unless another pipeline is chosen."
    )

    def __init__(self, *args: Any, pipeline: Pipeline | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if pipeline is not None:
            names = ("name", "stale_after_days", "is_default")
            self.initial.update({name: getattr(pipeline, name) for name in names})
            if pipeline.is_default:
                self.fields["is_default"].disabled = True
                self.fields["is_default"].help_text = "To change this make another pipeline the default."


class StageForm(forms.Form):
    """A step of a pipeline."""

    name = forms.CharField(max_length=120)
    outcome = forms.ChoiceField(choices=OUTCOMES, initial="open")
    probability = forms.DecimalField(
        required=False,
        min_value=0,
        max_value=100,
        decimal_places=2,
        label="Probability (%)",
        help_text="The chance that a deal here is won; it weights the forecast. Empty: unknown.",
    )
    is_active = forms.BooleanField(
        required=False, initial=True, label="In use", help_text="Off: deals in it stay, it is offered no more."
    )

    def __init__(self, *args: Any, stage: Stage | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if stage is not None:
            outcome = "won" if stage.is_won else "lost" if stage.is_lost else "open"
            chance = stage.probability
            percent = format((chance * 100).normalize(), "f") if chance is not None else None
            self.initial.update(name=stage.name, outcome=outcome, probability=percent, is_active=stage.is_active)

    def values(self) -> dict[str, Any]:
        """Return the stage's columns, the name apart."""
        data = self.cleaned_data
        chance = data["probability"]
        return {
            "is_won": data["outcome"] == "won",
            "is_lost": data["outcome"] == "lost",
            "probability": None if chance is None else (chance / Decimal(100)).quantize(Decimal("0.000001")),
            "is_active": data["is_active"],
        }


class RoleTemplateForm(forms.ModelForm):
    """Which roles a committee needs."""

    class Meta:
        model = RoleTemplate
        fields: ClassVar[list[str]] = ["name", "pipeline"]
        help_texts: ClassVar[dict[str, str]] = {"pipeline": "Empty: for all pipelines without a template of their own."}

    is_default = forms.BooleanField(required=False, label="Default", help_text="Used where no other fits.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["is_default"] = self.instance.is_default
        self.fields["is_default"].disabled = self.instance.is_default
        pipeline = self.fields["pipeline"]
        assert isinstance(pipeline, forms.ModelChoiceField)
        pipeline.empty_label = "All pipelines"


NEEDED = [
    ("Groups", [(f"group:{value}", label) for value, label in RoleGroup.choices]),
    ("Roles", [(f"role:{value}", label) for value, label in BuyingRole.choices]),
]


class RoleLineForm(forms.Form):
    """One line of a role template: a group or a role, how many, how much it weighs."""

    needed = forms.ChoiceField(choices=[("", "–"), *NEEDED], required=False, label="Role or group")
    minimum = forms.IntegerField(min_value=1, max_value=100, required=False, label="At least")
    weight = forms.DecimalField(
        min_value=Decimal("0.01"), max_value=Decimal(1000), max_digits=6, decimal_places=2, required=False
    )

    def line(self) -> dict[str, Any] | None:
        """Return the columns of the line, None where the row is left empty."""
        data = self.cleaned_data
        if not data.get("needed"):
            return None
        kind, _, value = data["needed"].partition(":")
        return {
            "role": value if kind == "role" else "",
            "role_group": value if kind == "group" else "",
            "minimum": data.get("minimum") or 1,
            "weight": data.get("weight") or Decimal(1),
        }


class BaseRoleLines(forms.BaseFormSet):
    """The lines of a role template; each role or group stands once."""

    def clean(self) -> None:
        """Refuse a role that stands twice, and a template without lines."""
        seen: set[str] = set()
        for form in self.forms:
            needed = form.cleaned_data.get("needed") if form.is_valid() else ""
            if needed and needed in seen:
                form.add_error("needed", "This one stands twice: raise its number instead.")
            seen.add(needed or "")
        if not seen - {""} and not any(self.errors):
            raise ValidationError("Name at least one role or group.")


RoleLines = forms.formset_factory(RoleLineForm, formset=BaseRoleLines, extra=3, max_num=40)


def initial_lines(template: RoleTemplate) -> list[dict[str, Any]]:
    """Return the lines of a template as the formset shows them (1 query)."""
    return [
        {"needed": f"role:{line.role}" if line.role else f"group:{line.role_group}", "minimum": line.minimum,
         "weight": format(line.weight.normalize(), "f")}
        for line in RoleTemplateRole.objects.filter(template=template.pk)
    ]  # fmt: skip


class TerritoryForm(forms.ModelForm):
    """A territory: where it lies and whose it is."""

    regions = forms.ModelMultipleChoiceField(
        queryset=Term.objects.none(),
        required=False,
        widget=MultiPicker(),
        label="Sales regions",
        help_text="Each stands for everything below it. Regions are kept under Vocabularies.",
    )
    countries = forms.MultipleChoiceField(
        choices=[(choice.value, choice.label) for choice in COUNTRIES], required=False, widget=MultiPicker()
    )
    users = forms.ModelMultipleChoiceField(
        queryset=User.objects.none(), required=False, widget=MultiPicker(), label="People"
    )
    teams = forms.ModelMultipleChoiceField(queryset=Team.objects.none(), required=False, widget=MultiPicker())

    class Meta:
        model = Territory
        fields: ClassVar[list[str]] = ["name", "countries", "users", "teams"]

    field_order = ["name", "regions", "countries", "users", "teams"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = {
            "regions": Term.objects.filter(vocabulary=Vocabulary.SALES_REGION).order_by("path"),
            "users": User.objects.filter(is_active=True).order_by("first_name", "username"),
            "teams": Team.objects.order_by("name"),
        }
        for name, queryset in rows.items():
            field = self.fields[name]
            assert isinstance(field, forms.ModelMultipleChoiceField)
            field.queryset = queryset
        people: Any = self.fields["users"]
        people.label_from_instance = lambda person: person.display_name
        regions: Any = self.fields["regions"]
        regions.label_from_instance = lambda term: "\u2003" * max(0, term.path.count("/") - 2) + term.name
        if self.instance.pk:
            slugs = self.instance.region_slugs
            self.initial["regions"] = list(rows["regions"].filter(slug__in=slugs).values_list("pk", flat=True))

    def clean(self) -> dict[str, Any]:
        """Refuse a territory that lies nowhere."""
        cleaned = super().clean() or self.cleaned_data
        if not cleaned.get("regions") and not cleaned.get("countries"):
            self.add_error("countries", "Name at least one sales region or country.")
        return cleaned

    def save(self, commit: bool = True) -> Territory:
        """Save, regions by their slugs."""
        self.instance.region_slugs = sorted(term.slug for term in self.cleaned_data["regions"])
        self.instance.countries = sorted(self.cleaned_data["countries"])
        return super().save(commit)


class RateForm(forms.ModelForm):
    """One exchange rate."""

    class Meta:
        model = ExchangeRate
        fields: ClassVar[list[str]] = ["base", "quote", "on_date", "rate"]
        labels: ClassVar[dict[str, str]] = {"base": "One unit of", "quote": "cost in", "on_date": "From the day"}
        widgets: ClassVar[dict[str, Any]] = {"on_date": forms.DateInput({"type": "date"}, format="%Y-%m-%d")}
        help_texts: ClassVar[dict[str, str]] = {
            "rate": "Holds until the next day for which there is one.",
            "base": "ISO 4217, such as EUR.",
        }

    def clean_base(self) -> str:
        """Return the code in capitals."""
        return checked_currency(self.cleaned_data["base"])

    def clean_quote(self) -> str:
        """Return the code in capitals, another than the first."""
        code = checked_currency(self.cleaned_data["quote"])
        if code == self.cleaned_data.get("base"):
            raise ValidationError("Choose another currency than the first.")
        return code

    def clean_rate(self) -> Decimal:
        """Refuse a rate that is none."""
        rate: Decimal = self.cleaned_data["rate"]
        if rate <= 0:
            raise ValidationError("The rate must be above 0.")
        return rate


class PasteForm(forms.Form):
    """Rates as lines."""

    lines = forms.CharField(
        widget=forms.Textarea({"rows": 10, "class": "font-monospace", "spellcheck": "false"}),
        max_length=400_000,
        help_text="From, to, day, rate: one a line, parted by comma, semicolon or tab. A rate of the same day is "
        "replaced.",
    )


class FreeMailForm(forms.Form):
    """The free-mail list."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    domains = forms.CharField(
        widget=forms.Textarea({"rows": 18, "class": "font-monospace", "spellcheck": "false"}),
        max_length=400_000,
        help_text="One a line. Letters of other scripts become their ASCII form (IDNA).",
    )
