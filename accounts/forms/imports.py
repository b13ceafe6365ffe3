"""Forms of the import pages: upload, and the mapping of columns."""

from typing import Any

from django import forms

from ..imports.options import ImportOptions
from ..imports.plan import Plan
from ..imports.types import IMPORT_TYPES


class UploadForm(forms.Form):
    """Which file, what its rows are, and which system it comes from."""

    file = forms.FileField(
        label="File",
        help_text="CSV, .csv.gz or Excel (.xlsx), up to 200 MB. The first row holds the headings.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,.gz,.xlsx", "class": "form-control"}),
        max_length=None,
    )
    type = forms.ChoiceField(label="What the rows are", widget=forms.Select(attrs={"class": "form-select"}))
    source = forms.CharField(
        label="System it comes from",
        initial="import",
        max_length=60,
        help_text="External ids belong to this system: use the same name for files that refer to each other.",
        widget=forms.TextInput(attrs={"class": "form-control"}),
    )

    def __init__(self, *args: Any, types: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type"].choices = [(key, IMPORT_TYPES[key].label) for key in types]  # type: ignore[attr-defined]


class ReadingForm(forms.Form):
    """How the file is to be read and what its key is; everything may stay as found."""

    key = forms.CharField(
        label="Key",
        required=False,
        help_text="What finds the record: a field, or several joined by +. Empty: external id, domain or e-mail, "
        "else the name, else the whole row.",
    )
    nulls = forms.CharField(label="Text that means empty", required=False, help_text="Such as NULL or n/a")
    create_fields = forms.BooleanField(label="Turn unmapped columns into custom fields", required=False)
    create_accounts = forms.BooleanField(label="Add accounts that rows name and nobody has", required=False)
    sources = forms.BooleanField(
        label="Keep where each value came from (a little slower)", required=False, initial=True
    )
    source_type = forms.ChoiceField(
        label="Kind of source",
        required=False,
        choices=[("secondary", "Secondary: read elsewhere"), ("primary", "Primary: we asked ourselves")],
    )
    encoding = forms.CharField(label="Encoding", required=False, help_text="Empty: as found")
    delimiter = forms.ChoiceField(
        label="Delimiter",
        required=False,
        choices=[
            ("", "As found"),
            ("comma", "Comma"),
            ("semicolon", "Semicolon"),
            ("tab", "Tab"),
            ("pipe", "Pipe"),
            ("none", "None: one column"),
        ],
    )
    sheet = forms.CharField(label="Sheet", required=False, help_text="Of a workbook with several")
    decimal = forms.ChoiceField(
        label="Decimal sign",
        required=False,
        choices=[("", "As found"), ("point", "Point: 1,234.50"), ("comma", "Comma: 1.234,50")],
    )
    date_order = forms.ChoiceField(
        label="Numeric dates",
        required=False,
        choices=[("", "As found"), ("dmy", "Day first: 31/12/2026"), ("mdy", "Month first: 12/31/2026")],
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            css = {"Select": "form-select", "CheckboxInput": "form-check-input"}
            field.widget.attrs.setdefault("class", css.get(type(field.widget).__name__, "form-control"))

    def options(self, options: ImportOptions, mapping: dict[str, str] | None) -> ImportOptions:
        """Return the import's options with what the form says; a mapping given ends all guessing."""
        data = self.cleaned_data
        nulls = tuple(part.strip() for part in data["nulls"].split("|") if part.strip())
        changed = {name: data[name] for name in self.fields if name != "nulls"}
        changed["source_type"] = data["source_type"] or options.source_type
        if mapping is not None:
            changed |= {"map": mapping, "guess": False}
        return ImportOptions(**{**options.as_json(), **changed, "nulls": nulls})


def initial_of(options: ImportOptions) -> dict[str, Any]:
    """Return the reading form's first values."""
    return {**options.as_json(), "nulls": " | ".join(options.nulls)}


def column_rows(plan: Plan, offered: list[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return one row for each column: heading, samples, chosen target, and how it came to it."""
    rows = []
    for index, heading in enumerate(plan.headings):
        target = plan.mapping.targets.get(index)
        rows.append(
            {
                "index": index,
                "heading": heading,
                "samples": plan.scan.samples.get(index, [])[:3],
                "target": target.key if target else "",
                "is_guess": index in plan.mapping.guessed,
                "withdrawn": plan.scan.withdrawn.get(index, ""),
                "offered": offered,
            }
        )
    return rows
