"""Admin of the values of multi and custom fields."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest

from .. import models, queries
from .base import RowAdmin

OWNERS = {
    "account": (queries.accounts_visible_to, "account__name_folded__startswith"),
    "contact": (queries.contacts_visible_to, "contact__full_name_folded__startswith"),
    "opportunity": (queries.opportunities_visible_to, "opportunity__name_folded__startswith"),
}


class OwnedValueAdmin(RowAdmin):
    """Values of records; seen with their record."""

    owner = ""

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the values of records the user sees."""
        records = OWNERS[self.owner][0](request.user)
        own = self.model._default_manager.filter(Exists(records.filter(pk=OuterRef(f"{self.owner}_id"))))
        return own.order_by(*self.ordering)


for _owner, _multi, _custom in (
    ("account", models.AccountValue, models.AccountCustomValue),
    ("contact", models.ContactValue, models.ContactCustomValue),
    ("opportunity", models.OpportunityValue, models.OpportunityCustomValue),
):
    for _model, _display in (
        (_multi, (_owner, "field", "token", "term", "code")),
        (_custom, (_owner, "definition", "text", "number", "boolean", "date", "moment")),
    ):
        admin.site.register(
            _model,
            type(
                f"{_model.__name__}Admin",
                (OwnedValueAdmin,),
                {"owner": _owner, "list_display": _display, "search_fields": (OWNERS[_owner][1],)},
            ),
        )
