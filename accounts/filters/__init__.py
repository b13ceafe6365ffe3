"""Filters of lists, one FilterSet a noun; pages and API use the same. A page checks `is_valid()` before `qs`."""

from .accounts import AccountFilter
from .activities import ActivityFilter, CampaignRefFilter, ContentItemFilter
from .catalogue import (
    ExchangeRateFilter,
    IndustryCodeFilter,
    PersonaFilter,
    PipelineFilter,
    ProductFilter,
    StageFilter,
    TechnologyProductFilter,
    TermFilter,
    VendorFilter,
)
from .contacts import ConsentFilter, ContactAccountFilter, ContactFilter
from .details import (
    AccountTechnologyFilter,
    ContractFilter,
    CustomFieldFilter,
    ExternalIdFilter,
    FieldHistoryFilter,
    NeedFilter,
    ProvenanceFilter,
    PurchaseFilter,
    SupportCaseFilter,
    SurveyAnswerFilter,
)
from .opportunities import OpportunityContactFilter, OpportunityFilter, OpportunityLineFilter
from .work import ImportFilter, NoteFilter, TaskFilter

__all__ = [
    "AccountFilter",
    "AccountTechnologyFilter",
    "ActivityFilter",
    "CampaignRefFilter",
    "ConsentFilter",
    "ContactAccountFilter",
    "ContactFilter",
    "ContentItemFilter",
    "ContractFilter",
    "CustomFieldFilter",
    "ExchangeRateFilter",
    "ExternalIdFilter",
    "FieldHistoryFilter",
    "ImportFilter",
    "IndustryCodeFilter",
    "NeedFilter",
    "NoteFilter",
    "OpportunityContactFilter",
    "OpportunityFilter",
    "OpportunityLineFilter",
    "PersonaFilter",
    "PipelineFilter",
    "ProductFilter",
    "ProvenanceFilter",
    "PurchaseFilter",
    "StageFilter",
    "SupportCaseFilter",
    "SurveyAnswerFilter",
    "TaskFilter",
    "TechnologyProductFilter",
    "TermFilter",
    "VendorFilter",
]
