"""Callers of the API and one record of every noun, for tests."""

from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from accounts.choices import RecordType
from segmentation_crm.common.access import SCOPES
from segmentation_crm.common.models import ApiToken, User
from tests import factories as make


def caller(user: User | None = None, scopes: tuple[str, ...] = SCOPES, **extra: Any) -> APIClient:
    """Return a client that sends the user's own new token; without user an anonymous one."""
    client = APIClient()
    if user is not None:
        _, text = ApiToken.objects.create(user, expiry=None, name="Test", scopes=list(scopes))
        client.credentials(HTTP_AUTHORIZATION=f"Token {text}", **extra)
    return client


# What is seen with its account, contact or opportunity: route -> a record of the account.
OF_ACCOUNT: dict[str, Callable[[Any], Any]] = {
    "accounts": lambda account: account,
    "contacts": lambda account: make.ContactFactory(account=account),
    "contact_accounts": lambda account: make.ContactAccountFactory(
        contact=make.ContactFactory(account=account), account=account, relation="consultant"
    ),
    "consents": lambda account: make.ConsentFactory(contact=make.ContactFactory(account=account)),
    "opportunities": lambda account: make.OpportunityFactory(account=account),
    "opportunity_lines": lambda account: make.OpportunityLineFactory(
        opportunity=make.OpportunityFactory(account=account)
    ),
    "contact_roles": lambda account: make.OpportunityContactFactory(
        opportunity=make.OpportunityFactory(account=account)
    ),
    "activities": lambda account: make.ActivityFactory(account=account, contact=make.ContactFactory(account=account)),
    "technologies": lambda account: make.AccountTechnologyFactory(account=account),
    "needs": lambda account: make.NeedFactory(account=account),
    "purchases": lambda account: make.PurchaseFactory(account=account),
    "contracts": lambda account: make.ContractFactory(account=account),
    "support_cases": lambda account: make.SupportCaseFactory(account=account),
    "survey_answers": lambda account: make.SurveyAnswerFactory(account=account),
    "tasks": lambda account: make.TaskFactory(account=account),
    "notes": lambda account: make.NoteFactory(account=account),
    "evidence": lambda account: make.EvidenceFactory(account=account),
    "changes": lambda account: make.RecordChangeFactory(record_type="account", record_id=account.pk),
    "field_history": lambda account: make.FieldHistoryFactory(
        record_type=RecordType.ACCOUNT, record_id=account.pk, field="urgency"
    ),
    "provenance": lambda account: make.ProvenanceFactory(record_type=RecordType.ACCOUNT, record_id=account.pk),
    "external_ids": lambda account: make.ExternalIdFactory(record_type=RecordType.ACCOUNT, record_id=account.pk),
}
# What everyone sees.
FOR_ALL: dict[str, Callable[[], Any]] = {
    "content": make.ContentItemFactory,
    "campaign_refs": make.CampaignRefFactory,
    "products": make.ProductFactory,
    "vendors": make.VendorFactory,
    "technology_products": make.TechnologyProductFactory,
    "pipelines": make.PipelineFactory,
    "stages": make.StageFactory,
    "personas": make.PersonaFactory,
    "terms": make.TermFactory,
    "industry_codes": make.IndustryCodeFactory,
    "exchange_rates": make.ExchangeRateFactory,
    "custom_fields": make.CustomFieldFactory,
    "role_templates": make.RoleTemplateFactory,
}
READ_ONLY = {"changes", "field_history", "provenance", "external_ids", "industry_codes"}
