"""Read access to the records; `<things>_visible_to(user)` is where every page, API and job starts."""

from .accounts import accounts_seen, accounts_visible_to, region_ids
from .activities import activities_visible_to
from .catalogue import (
    campaign_refs_visible_to,
    content_visible_to,
    custom_fields_visible_to,
    exchange_rates_visible_to,
    industry_codes_visible_to,
    personas_visible_to,
    pipelines_visible_to,
    products_visible_to,
    role_templates_visible_to,
    stages_visible_to,
    technology_products_visible_to,
    terms_visible_to,
    vendors_visible_to,
)
from .contacts import contact_accounts_visible_to, contacts_seen, contacts_visible_to, unmatched_contacts
from .history import external_ids_visible_to, field_history_visible_to, provenance_visible_to
from .needs import consents_visible_to, needs_visible_to, survey_answers_visible_to
from .opportunities import (
    opportunities_seen,
    opportunities_visible_to,
    opportunity_contacts_visible_to,
    opportunity_lines_visible_to,
)
from .purchases import contracts_visible_to, purchases_visible_to, support_cases_visible_to
from .technologies import technologies_visible_to
from .vocabularies import (
    CATALOGUE_MODELS,
    codes_under,
    resolve_catalogue,
    resolve_code,
    resolve_term,
    resolve_terms,
    terms_under,
)
from .work import notes_visible_to, tasks_visible_to

__all__ = [
    "CATALOGUE_MODELS",
    "accounts_seen",
    "accounts_visible_to",
    "activities_visible_to",
    "campaign_refs_visible_to",
    "codes_under",
    "consents_visible_to",
    "contact_accounts_visible_to",
    "contacts_seen",
    "contacts_visible_to",
    "content_visible_to",
    "contracts_visible_to",
    "custom_fields_visible_to",
    "exchange_rates_visible_to",
    "external_ids_visible_to",
    "field_history_visible_to",
    "industry_codes_visible_to",
    "needs_visible_to",
    "notes_visible_to",
    "opportunities_seen",
    "opportunities_visible_to",
    "opportunity_contacts_visible_to",
    "opportunity_lines_visible_to",
    "personas_visible_to",
    "pipelines_visible_to",
    "products_visible_to",
    "provenance_visible_to",
    "purchases_visible_to",
    "region_ids",
    "resolve_catalogue",
    "resolve_code",
    "resolve_term",
    "resolve_terms",
    "role_templates_visible_to",
    "stages_visible_to",
    "support_cases_visible_to",
    "survey_answers_visible_to",
    "tasks_visible_to",
    "technologies_visible_to",
    "technology_products_visible_to",
    "terms_under",
    "terms_visible_to",
    "unmatched_contacts",
    "vendors_visible_to",
]
