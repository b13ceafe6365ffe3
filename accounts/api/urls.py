"""Routes of the records, named like the types of imports."""

from rest_framework.routers import SimpleRouter
from rest_framework.viewsets import GenericViewSet

from . import (
    accounts,
    activities,
    catalogue,
    changes,
    contacts,
    details,
    evidence,
    imports,
    opportunities,
    settings,
    work,
)

ROUTES: dict[str, type[GenericViewSet]] = {
    "accounts": accounts.AccountViewSet,
    "contacts": contacts.ContactViewSet,
    "contact_accounts": contacts.ContactAccountViewSet,
    "consents": contacts.ConsentViewSet,
    "opportunities": opportunities.OpportunityViewSet,
    "opportunity_lines": opportunities.OpportunityLineViewSet,
    "contact_roles": opportunities.OpportunityContactViewSet,
    "activities": activities.ActivityViewSet,
    "content": activities.ContentItemViewSet,
    "campaign_refs": activities.CampaignRefViewSet,
    "technologies": details.AccountTechnologyViewSet,
    "needs": details.NeedViewSet,
    "purchases": details.PurchaseViewSet,
    "contracts": details.ContractViewSet,
    "support_cases": details.SupportCaseViewSet,
    "survey_answers": details.SurveyAnswerViewSet,
    "tasks": work.TaskViewSet,
    "notes": work.NoteViewSet,
    "evidence": evidence.EvidenceViewSet,
    "products": catalogue.ProductViewSet,
    "vendors": catalogue.VendorViewSet,
    "technology_products": catalogue.TechnologyProductViewSet,
    "pipelines": catalogue.PipelineViewSet,
    "stages": catalogue.StageViewSet,
    "personas": catalogue.PersonaViewSet,
    "terms": catalogue.TermViewSet,
    "industry_codes": catalogue.IndustryCodeViewSet,
    "exchange_rates": catalogue.ExchangeRateViewSet,
    "custom_fields": catalogue.CustomFieldViewSet,
    "role_templates": settings.RoleTemplateViewSet,
    "territories": settings.TerritoryViewSet,
    "field_history": work.FieldHistoryViewSet,
    "provenance": work.ProvenanceViewSet,
    "external_ids": work.ExternalIdViewSet,
    "imports": imports.ImportViewSet,
    "changes": changes.RecordChangeViewSet,
}

router = SimpleRouter()
for name, viewset in ROUTES.items():
    router.register(name, viewset, basename=f"api-{name}")

urlpatterns = router.urls
