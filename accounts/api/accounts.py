"""Accounts over the API."""

from rest_framework import serializers

from ..choices import BuyingCriterion, CodeSystem, MemberRecord, Month, Vocabulary
from ..filters import AccountFilter
from ..models import Account
from ..queries import accounts_visible_to
from ..services.normalisation import normalise_domain
from .custom import CustomValuesField
from .fields import CodesField, TermsField, TokensField, country_code, language_tag, one_of
from .members import MemberSerializer, MemberViewSet


class AccountSerializer(MemberSerializer):
    """An account. Bands and size class follow the figures where they are known."""

    email_domains = TokensField("email_domains", normalise_domain)
    languages = TokensField("languages", language_tag)
    end_user_languages = TokensField("end_user_languages", language_tag)
    end_user_countries = TokensField("end_user_countries", country_code)
    buying_criteria = TokensField("buying_criteria", one_of(BuyingCriterion))
    seasonality = TokensField("seasonality", one_of(Month))
    tags = TermsField("tags", Vocabulary.TAG)
    product_application = TermsField("product_application", Vocabulary.PRODUCT_APPLICATION)
    operating_traits = TermsField("operating_traits", Vocabulary.OPERATING_TRAIT)
    sic_codes_secondary = CodesField("sic_codes_secondary", CodeSystem.SIC)
    naics_codes_secondary = CodesField("naics_codes_secondary", CodeSystem.NAICS)
    custom = CustomValuesField(MemberRecord.ACCOUNT)

    class Meta:
        model = Account
        fields = [
            "id",
            "name",
            "legal_name",
            "registration_number",
            "domain",
            "email_domains",
            "website",
            "phone",
            "street",
            "postal_code",
            "city",
            "subdivision",
            "country",
            "sales_region",
            "account_type",
            "owner",
            "sdr",
            "tags",
            "languages",
            "end_user_languages",
            "end_user_countries",
            "scope",
            "industry",
            "sic_code",
            "sic_codes_secondary",
            "naics_code",
            "naics_codes_secondary",
            "employee_count",
            "employee_band",
            "annual_revenue",
            "annual_revenue_currency",
            "annual_revenue_reporting",
            "revenue_band",
            "size_class",
            "company_type",
            "founded_year",
            "growth_stage",
            "employee_growth_12m",
            "revenue_growth_12m",
            "ownership",
            "parent_account",
            "ultimate_parent",
            "group_employee_count",
            "group_revenue",
            "group_revenue_currency",
            "is_hierarchy_root",
            "purchasing_policy",
            "purchase_centralisation",
            "buying_criteria",
            "relationship",
            "power_centre",
            "product_application",
            "typical_order_size",
            "typical_order_size_currency",
            "typical_order_size_reporting",
            "urgency",
            "seasonality",
            "digital_media_use",
            "operating_traits",
            "lifecycle_stage",
            "became_target_at",
            "became_aware_at",
            "became_engaged_at",
            "became_mqa_at",
            "became_opportunity_at",
            "became_customer_at",
            "became_former_at",
            "customer_since",
            "churned_on",
            "churn_reason",
            "tier",
            "tier_source",
            "sophistication",
            "do_not_contact",
            "data_completeness_pct",
            "custom",
            "source",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "annual_revenue_reporting",
            "typical_order_size_reporting",
            "size_class",
            "ultimate_parent",
            "group_employee_count",
            "group_revenue",
            "group_revenue_currency",
            "is_hierarchy_root",
            "tier_source",
            "data_completeness_pct",
            "source",
            "version",
            "created_at",
            "updated_at",
        ]

    def validate_domain(self, text: str) -> str:
        """Return the domain as it is stored: an address of the web or a mailbox gives its domain.

        Raises ValidationError for what holds none.
        """
        domain = normalise_domain(text)
        if text.strip() and not domain:
            raise serializers.ValidationError("Give a domain such as company.com.", "invalid")
        return domain


class AccountViewSet(MemberViewSet[Account]):
    """Accounts: the companies we sell to."""

    visible = staticmethod(accounts_visible_to)
    serializer_class = AccountSerializer
    filterset_class = AccountFilter
