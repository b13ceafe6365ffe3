"""Accounts from files."""

from collections.abc import Iterable, Sequence
from typing import Any

from ...choices import BuyingCriterion, CodeSystem, Month, Vocabulary
from ...models import Account, AccountCustomValue, AccountValue
from ...services.accounts import fill_computed, refresh_hierarchy
from ...services.money import RateBook
from ...services.normalisation import normalise_domain
from ..drafts import Draft
from ..formats import Country, Domain, Language, Phone, Subdivision, Url
from ..resolvers import Code, Codes, Lookup, OpenTerm, OpenTerms
from ..targets import Choice, Currency, Multi, Target
from .base import ImportType
from .links import account_link, user_link

_ALIASES = {
    "name": ("account", "account_name", "company", "company_name", "organisation", "organization", "companyname"),
    "street": ("address", "address1", "billing_street", "companyaddress1"),
    "postal_code": ("zip", "zipcode", "zip_code", "postcode", "billing_postal_code"),
    "city": ("town", "billing_city", "company_city"),
    "account_type": ("type",),
    "employee_count": ("employees", "number_of_employees", "numberofemployees", "num_emp", "headcount", "staff"),
    "annual_revenue": ("revenue", "turnover", "annualrevenue"),
    "founded_year": ("founded", "year_established", "year_founded", "established"),
    "registration_number": ("company_number", "registration_no"),
}


class Accounts(ImportType):
    """Companies; by external id, domain or name."""

    key, label, model, record_type = "accounts", "Accounts", Account, "account"
    keys = (("external_id",), ("domain",), ("name",))
    second_chance = ("domain",)
    required = ("name",)
    value_model, custom_model = AccountValue, AccountCustomValue

    def declare(self) -> Iterable[Target]:
        yield from self.plain("name", "legal_name", "registration_number", "street", "postal_code", "city", **_ALIASES)
        yield Domain("domain", limit=253, aliases=("company_domain", "email_domain"))
        yield Url("website", limit=500, aliases=("url", "homepage", "web", "web_site", "companywebsite"))
        yield Phone("phone", limit=40, aliases=("telephone", "phone_number", "tel"))
        yield Country(
            "country", aliases=("country_code", "office_location", "billing_country", "company_country", "nation")
        )
        yield Subdivision("subdivision", aliases=("state", "province", "billing_state", "company_state"))
        yield OpenTerm("sales_region", Vocabulary.SALES_REGION, aliases=("region", "territory"))
        yield OpenTerm("industry", Vocabulary.INDUSTRY, aliases=("sector", "company_industry", "branch"))
        yield OpenTerm("churn_reason", Vocabulary.CHURN_REASON)
        yield user_link("owner")
        yield user_link("sdr", aliases=("sdr_name",))
        yield account_link(
            "parent_account",
            aliases=("parent", "parent_company", "subsidiary_of", "parentid", "parent_id", "parent_name"),
            is_later=True,
        )
        yield Code("sic_code", CodeSystem.SIC, aliases=("sic",))
        yield Code("naics_code", CodeSystem.NAICS, aliases=("naics",))
        yield Codes("sic_codes_secondary", CodeSystem.SIC)
        yield Codes("naics_codes_secondary", CodeSystem.NAICS)
        yield from self.plain(
            "account_type", "scope", "employee_count", "employee_band", "annual_revenue", "revenue_band",
            "company_type", "founded_year", "growth_stage", "employee_growth_12m", "revenue_growth_12m", "ownership",
            "purchasing_policy", "purchase_centralisation", "relationship", "power_centre", "typical_order_size",
            "urgency", "digital_media_use", "lifecycle_stage", "customer_since", "churned_on", "tier",
            "sophistication", "do_not_contact",
            **_ALIASES,
        )  # fmt: skip
        for stage in ("target", "aware", "engaged", "mqa", "opportunity", "customer", "former"):
            yield from self.plain(f"became_{stage}_at")
        yield Currency("annual_revenue_currency", aliases=("currency", "revenue_currency"))
        yield Currency("typical_order_size_currency")
        yield Multi("email_domains", Domain("email_domains", limit=253))
        yield Multi("languages", Language("languages"))
        yield Multi("end_user_languages", Language("end_user_languages"))
        yield Multi("end_user_countries", Country("end_user_countries"))
        yield Multi("buying_criteria", Choice("buying_criteria", BuyingCriterion.choices))
        yield Multi("seasonality", Choice("seasonality", Month.choices))
        yield OpenTerms("tags", Vocabulary.TAG, aliases=("labels",))
        yield OpenTerms("product_application", Vocabulary.PRODUCT_APPLICATION)
        yield OpenTerms("operating_traits", Vocabulary.OPERATING_TRAIT)

    def complete(self, record: Any, book: RateBook) -> None:
        fill_computed(record, book)

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        """Let a new account without domain take its website's, where no other account has it (1 query)."""
        wanted: dict[str, Draft] = {}
        for draft in drafts:
            if draft.columns.get("website") and not draft.columns.get("domain"):
                wanted.setdefault(normalise_domain(draft.columns["website"]), draft)
        named = {draft.columns.get("domain") for draft in drafts}
        free = wanted.keys() - named - {""}
        free -= set(Account.objects.live().filter(domain__in=free).values_list("domain", flat=True))
        for domain in free:
            wanted[domain].columns["_website_domain"] = domain

    def new_record(self, draft: Draft, book: RateBook) -> Account:
        return Account(domain=draft.columns.get("_website_domain", ""))

    def after_last(self, touched: Iterable[int]) -> None:
        refresh_hierarchy(touched)
