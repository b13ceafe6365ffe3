"""The records: one module per noun."""

from .accounts import Account, AccountValue
from .activities import Activity, CampaignRef, ContentItem
from .capture import CaptureVersion, ChangeRow
from .catalogue import (
    CatalogueAlias,
    ExchangeRate,
    Persona,
    Pipeline,
    Product,
    RoleTemplate,
    RoleTemplateRole,
    Stage,
    TechnologyProduct,
    Vendor,
)
from .changes import RecordChange, RecordMerge
from .consents import Consent
from .contacts import Contact, ContactAccount, ContactValue
from .custom import AccountCustomValue, ContactCustomValue, CustomField, OpportunityCustomValue
from .evidence import Evidence
from .history import ExternalId, FieldHistory, Provenance
from .imports import Import, ImportLater, ImportRow, ImportState
from .needs import Need
from .opportunities import Opportunity, OpportunityContact, OpportunityLine, OpportunityValue
from .purchases import Contract, Purchase, SupportCase
from .surveys import SurveyAnswer
from .technologies import AccountTechnology
from .vocabularies import IndustryCode, IndustryMapping, Term, TermAlias
from .work import Attachment, Note, Task

__all__ = [
    "Account",
    "AccountCustomValue",
    "AccountTechnology",
    "AccountValue",
    "Activity",
    "Attachment",
    "CampaignRef",
    "CaptureVersion",
    "CatalogueAlias",
    "ChangeRow",
    "Consent",
    "Contact",
    "ContactAccount",
    "ContactCustomValue",
    "ContactValue",
    "ContentItem",
    "Contract",
    "CustomField",
    "Evidence",
    "ExchangeRate",
    "ExternalId",
    "FieldHistory",
    "Import",
    "ImportLater",
    "ImportRow",
    "ImportState",
    "IndustryCode",
    "IndustryMapping",
    "Need",
    "Note",
    "Opportunity",
    "OpportunityContact",
    "OpportunityCustomValue",
    "OpportunityLine",
    "OpportunityValue",
    "Persona",
    "Pipeline",
    "Product",
    "Provenance",
    "Purchase",
    "RecordChange",
    "RecordMerge",
    "RoleTemplate",
    "RoleTemplateRole",
    "Stage",
    "SupportCase",
    "SurveyAnswer",
    "Task",
    "TechnologyProduct",
    "Term",
    "TermAlias",
    "Vendor",
]
