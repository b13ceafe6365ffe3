"""Admin of accounts, contacts, opportunities and the rows that follow them."""

from typing import Any

from django.contrib import admin

from .. import models, queries
from .base import RecordAdmin, RowAdmin


@admin.register(models.Account)
class AccountAdmin(RecordAdmin):
    """Accounts."""

    visible_to = staticmethod(queries.accounts_visible_to)
    list_display = ("name", "domain", "country", "account_type", "lifecycle_stage", "tier", "owner", "updated_at")
    list_filter = ("account_type", "lifecycle_stage", "tier", "size_class")
    search_fields = ("name_folded__startswith", "domain_folded__startswith")


@admin.register(models.Contact)
class ContactAdmin(RecordAdmin):
    """Contacts."""

    visible_to = staticmethod(queries.contacts_visible_to)
    list_display = ("name", "email", "job_title", "account", "lifecycle_stage", "lead_status", "owner", "updated_at")
    list_filter = ("lifecycle_stage", "lead_status", "seniority", "department", "deliverability")
    search_fields = ("full_name_folded__startswith", "last_name_folded__startswith", "email_folded__startswith")


@admin.register(models.Opportunity)
class OpportunityAdmin(RecordAdmin):
    """Opportunities."""

    visible_to = staticmethod(queries.opportunities_visible_to)
    list_display = ("name", "account", "stage", "type", "amount", "amount_currency", "expected_close", "owner")
    list_filter = ("type", "forecast_category")
    search_fields = ("name_folded__startswith",)


@admin.register(models.Activity)
class ActivityAdmin(RowAdmin):
    """Activities."""

    visible_to = staticmethod(queries.activities_visible_to)
    list_display = ("type", "direction", "occurred_at", "contact", "account", "subject", "bot_suspected")
    list_filter = ("type", "direction")
    search_fields = ("subject_folded__startswith",)


# model, visible_to, list_display, list_filter, search_fields
FOLLOWING: tuple[tuple[Any, Any, tuple[str, ...], tuple[str, ...], tuple[str, ...]], ...] = (
    (
        models.ContactAccount,
        queries.contact_accounts_visible_to,
        ("contact", "account", "relation", "started_on", "ended_on"),
        ("relation",),
        ("contact__full_name_folded__startswith",),
    ),
    (
        models.OpportunityLine,
        queries.opportunity_lines_visible_to,
        ("opportunity", "product", "quantity", "unit_price", "amount"),
        (),
        ("product_text_folded__startswith", "opportunity__name_folded__startswith"),
    ),
    (
        models.OpportunityContact,
        queries.opportunity_contacts_visible_to,
        ("opportunity", "contact", "role", "stance", "influence"),
        ("role", "stance"),
        ("contact__full_name_folded__startswith",),
    ),
    (
        models.AccountTechnology,
        queries.technologies_visible_to,
        ("account", "product", "status", "last_verified", "contract_ends"),
        ("status",),
        ("account__name_folded__startswith", "product__name_folded__startswith"),
    ),
    (
        models.Need,
        queries.needs_visible_to,
        ("need", "account", "contact", "kind", "priority", "evidence"),
        ("kind", "evidence"),
        ("need__name_folded__startswith",),
    ),
    (
        models.Purchase,
        queries.purchases_visible_to,
        ("order_number", "account", "product", "quantity", "amount", "ordered_at"),
        (),
        ("order_number_folded__startswith",),
    ),
    (
        models.Contract,
        queries.contracts_visible_to,
        ("number", "account", "product", "mrr", "starts_on", "ends_on", "status"),
        ("status",),
        ("number_folded__startswith", "account__name_folded__startswith"),
    ),
    (
        models.SupportCase,
        queries.support_cases_visible_to,
        ("subject", "account", "severity", "opened_at", "closed_at"),
        ("severity",),
        ("subject_folded__startswith", "account__name_folded__startswith"),
    ),
    (
        models.SurveyAnswer,
        queries.survey_answers_visible_to,
        ("survey", "question", "answer", "account", "contact", "answered_at"),
        (),
        ("survey_folded__startswith", "question_folded__startswith"),
    ),
    (
        models.Consent,
        queries.consents_visible_to,
        ("contact", "topic", "channel", "status", "legal_basis", "at"),
        ("status", "channel"),
        ("contact__full_name_folded__startswith", "contact__email_folded__startswith"),
    ),
    (
        models.Task,
        queries.tasks_visible_to,
        ("title", "type", "due_at", "owner", "done_at"),
        ("type",),
        ("owner__username__startswith",),
    ),
    (models.Note, queries.notes_visible_to, ("__str__", "author", "created_at"), (), ("author__username__startswith",)),
)

for _model, _visible_to, _display, _filter, _search in FOLLOWING:
    admin.site.register(
        _model,
        type(
            f"{_model.__name__}Admin",
            (RowAdmin,),
            {
                "visible_to": staticmethod(_visible_to),
                "list_display": _display,
                "list_filter": _filter,
                "search_fields": _search,
            },
        ),
    )
