"""Reference data and settings that rules read: a change of theirs bumps a version instead of touching records.

A new entry changes no verdict: nothing points to it yet. A changed or deleted one can, for every rule that names it.
"""

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models

from segmentation_crm.common.fields import RegistryError

# Targets of fields that are records: what they are called is captured as data.
_RECORDS = ("account", "contact", "contract")


@dataclass(frozen=True)
class Reference:
    """Reference data.

    model: Django's label. columns: model fields by which rules find or read an entry. name: what is said to have
    changed; by: a column that goes on with it ("term:" and the vocabulary). from_start: whether a new row counts too.
    unready: SQL over a row named {row} that tells that it was only being made.
    """

    model: str
    columns: tuple[str, ...]
    name: str
    by: str = ""
    from_start: bool = False
    unready: str = ""

    def name_sql(self, *rows: str) -> str:
        """Return the SQL of the name, over the first of these rows that is there."""
        if not self.by:
            return f"'{self.name}'"
        column = f"{rows[0]}.{self.by}" if len(rows) == 1 else f"COALESCE({', '.join(f'{r}.{self.by}' for r in rows)})"
        return f"'{self.name}' || {column}"


_NAMED = ("slug", "name_folded")
REFERENCES: dict[str, Reference] = {
    "term": Reference(
        "accounts.Term", ("vocabulary", *_NAMED, "path"), "term:", "vocabulary", unready="({row}.path = '')"
    ),
    "code": Reference("accounts.IndustryCode", ("system", "code", "path"), "code:", "system"),
    "stage": Reference("accounts.Stage", (*_NAMED, "pipeline", "is_won", "is_lost"), "stage"),
    "pipeline": Reference("accounts.Pipeline", _NAMED, "pipeline"),
    "product": Reference("accounts.Product", _NAMED, "product"),
    "vendor": Reference("accounts.Vendor", _NAMED, "vendor"),
    "technology_product": Reference("accounts.TechnologyProduct", _NAMED, "technology_product"),
    "persona": Reference("accounts.Persona", _NAMED, "persona"),
    "campaign": Reference("accounts.CampaignRef", _NAMED, "campaign"),
    "content": Reference("accounts.ContentItem", ("title_folded",), "content"),
    "user": Reference("common.User", ("username",), "user"),
}
# Read whatever the fields are.
SETTINGS: dict[str, Reference] = {
    "organisation": Reference(
        "common.Organisation",
        (
            "time_zone",
            "currency",
            "fiscal_year_start_month",
            "size_limits",
            "purchase_active_days",
            "free_mail_domains",
        ),
        "organisation",
        from_start=True,
    ),
    "custom_field": Reference(
        "accounts.CustomField", ("record", "key", "type", "choices", "is_active"), "custom_field", from_start=True
    ),
    "rates": Reference("accounts.ExchangeRate", ("base", "quote", "on_date", "rate"), "rates", from_start=True),
    "term alias": Reference("accounts.TermAlias", ("term", "text_folded"), "term:", "vocabulary"),
    "catalogue alias": Reference("accounts.CatalogueAlias", ("record_id", "scope", "text_folded"), "", "kind"),
}


def is_record(target: str) -> bool:
    """Tell whether a field's target is a record rather than reference data.

    Raises RegistryError for a target that capture does not know.
    """
    kind = target.partition(":")[0]
    if kind not in _RECORDS and kind not in REFERENCES:
        raise RegistryError(f"Change capture does not know the target {target}.")
    return kind in _RECORDS


def name_of(model: Any) -> str:
    """Return the name of the reference data that a model holds.

    Raises RegistryError for a model that is none.
    """
    for name, reference in REFERENCES.items():
        if model is apps.get_model(reference.model):
            return name
    raise RegistryError(f"Rules read {model._meta.label} through a foreign key, but it is no reference data.")


def model_of(reference: Reference) -> type[models.Model]:
    """Return the model of reference data."""
    return apps.get_model(reference.model)
