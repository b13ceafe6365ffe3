"""What hangs on records, over the API: technologies, needs, purchases, contracts, cases, answers."""

from ..filters import (
    AccountTechnologyFilter,
    ContractFilter,
    NeedFilter,
    PurchaseFilter,
    SupportCaseFilter,
    SurveyAnswerFilter,
)
from ..models import AccountTechnology, Contract, Need, Purchase, SupportCase, SurveyAnswer
from ..queries import (
    contracts_visible_to,
    needs_visible_to,
    purchases_visible_to,
    support_cases_visible_to,
    survey_answers_visible_to,
    technologies_visible_to,
)
from .base import AccountsSerializer, DetailViewSet

STAMPS = ["source", "created_at", "updated_at"]


class AccountTechnologySerializer(AccountsSerializer):
    """One technology of one account."""

    class Meta:
        model = AccountTechnology
        fields = [
            "id",
            "account",
            "product",
            "status",
            "first_seen",
            "last_verified",
            "confidence",
            "contract_ends",
            "source_type",
            *STAMPS,
        ]
        read_only_fields = STAMPS


class AccountTechnologyViewSet(DetailViewSet[AccountTechnology]):
    """Technologies that accounts use."""

    visible = staticmethod(technologies_visible_to)
    serializer_class = AccountTechnologySerializer
    filterset_class = AccountTechnologyFilter
    parents = "an account"


class NeedSerializer(AccountsSerializer):
    """One need of an account or of a contact."""

    class Meta:
        model = Need
        fields = [
            "id",
            "account",
            "contact",
            "need",
            "kind",
            "priority",
            "evidence",
            "source_type",
            "confidence",
            "confirmed_on",
            "rejected_on",
            *STAMPS,
        ]
        read_only_fields = STAMPS


class NeedViewSet(DetailViewSet[Need]):
    """Needs of accounts and contacts."""

    visible = staticmethod(needs_visible_to)
    serializer_class = NeedSerializer
    filterset_class = NeedFilter
    parents = "an account or contact"


class PurchaseSerializer(AccountsSerializer):
    """A purchase line; the amount follows from quantity, price and discount where it is not given."""

    class Meta:
        model = Purchase
        fields = [
            "id",
            "account",
            "contact",
            "opportunity",
            "order_number",
            "product",
            "product_text",
            "category",
            "quantity",
            "unit_price",
            "unit_price_currency",
            "unit_price_reporting",
            "discount",
            "amount",
            "amount_currency",
            "amount_reporting",
            "cost",
            "cost_currency",
            "cost_reporting",
            "ordered_at",
            *STAMPS,
        ]
        read_only_fields = ["unit_price_reporting", "amount_reporting", "cost_reporting", *STAMPS]


class PurchaseViewSet(DetailViewSet[Purchase]):
    """Purchase lines, newest first."""

    visible = staticmethod(purchases_visible_to)
    serializer_class = PurchaseSerializer
    filterset_class = PurchaseFilter
    parents = "an account or contact"


class ContractSerializer(AccountsSerializer):
    """A contract with its monthly recurring revenue."""

    class Meta:
        model = Contract
        fields = [
            "id",
            "account",
            "number",
            "product",
            "product_text",
            "starts_on",
            "ends_on",
            "mrr",
            "mrr_currency",
            "mrr_reporting",
            "status",
            "renewed_from",
            *STAMPS,
        ]
        read_only_fields = ["mrr_reporting", *STAMPS]


class ContractViewSet(DetailViewSet[Contract]):
    """Contracts."""

    visible = staticmethod(contracts_visible_to)
    serializer_class = ContractSerializer
    filterset_class = ContractFilter
    parents = "an account"


class SupportCaseSerializer(AccountsSerializer):
    """A request for support."""

    class Meta:
        model = SupportCase
        fields = [
            "id",
            "account",
            "contact",
            "product",
            "subject",
            "opened_at",
            "closed_at",
            "hours",
            "cost",
            "cost_currency",
            "cost_reporting",
            "severity",
            "satisfaction",
            *STAMPS,
        ]
        read_only_fields = ["cost_reporting", *STAMPS]


class SupportCaseViewSet(DetailViewSet[SupportCase]):
    """Support cases."""

    visible = staticmethod(support_cases_visible_to)
    serializer_class = SupportCaseSerializer
    filterset_class = SupportCaseFilter
    parents = "an account or contact"


class SurveyAnswerSerializer(AccountsSerializer):
    """One answer to one question."""

    class Meta:
        model = SurveyAnswer
        fields = [
            "id",
            "account",
            "contact",
            "survey",
            "question",
            "answer",
            "answered_at",
            "source_type",
            *STAMPS,
        ]
        read_only_fields = STAMPS


class SurveyAnswerViewSet(DetailViewSet[SurveyAnswer]):
    """Answers of surveys."""

    visible = staticmethod(survey_answers_visible_to)
    serializer_class = SurveyAnswerSerializer
    filterset_class = SurveyAnswerFilter
    parents = "an account or contact"
