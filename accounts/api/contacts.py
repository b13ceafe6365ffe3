"""Contacts over the API, their ties to accounts and what they agreed to."""

from typing import Any
from zoneinfo import available_timezones

from rest_framework import serializers

from ..choices import BuyingRole, MemberRecord, Vocabulary
from ..filters import ConsentFilter, ContactAccountFilter, ContactFilter
from ..models import Consent, Contact, ContactAccount
from ..queries import consents_visible_to, contact_accounts_visible_to, contacts_visible_to
from ..services.normalisation import normalise_email
from .base import AccountsSerializer, DetailViewSet
from .custom import CustomValuesField
from .fields import TermsField, TokensField, one_of
from .members import MemberSerializer, MemberViewSet


class ContactSerializer(MemberSerializer):
    """A contact. `account` is the primary one; others are rows of contact_accounts."""

    buying_roles = TokensField("buying_roles", one_of(BuyingRole))
    tags = TermsField("tags", Vocabulary.TAG)
    likes = TermsField("likes", Vocabulary.LIKES)
    dislikes = TermsField("dislikes", Vocabulary.DISLIKES)
    attitudes = TermsField("attitudes", Vocabulary.ATTITUDES)
    values = TermsField("values", Vocabulary.VALUES)
    beliefs = TermsField("beliefs", Vocabulary.BELIEFS)
    traits = TermsField("traits", Vocabulary.TRAITS)
    custom = CustomValuesField(MemberRecord.CONTACT)

    class Meta:
        model = Contact
        fields = [
            "id",
            "first_name",
            "last_name",
            "name",
            "email",
            "phone",
            "mobile",
            "linkedin_url",
            "country",
            "nationality",
            "language",
            "time_zone",
            "owner",
            "account",
            "company_name_given",
            "job_title",
            "seniority",
            "department",
            "persona",
            "buying_roles",
            "tags",
            "likes",
            "dislikes",
            "attitudes",
            "values",
            "beliefs",
            "traits",
            "risk_appetite",
            "preferred_channel",
            "preferred_content_format",
            "lifecycle_stage",
            "became_subscriber_at",
            "became_lead_at",
            "became_mql_at",
            "became_sal_at",
            "became_sql_at",
            "became_opportunity_at",
            "became_customer_at",
            "became_evangelist_at",
            "lead_status",
            "reject_reason",
            "recycle_until",
            "deliverability",
            "do_not_contact",
            "data_completeness_pct",
            "custom",
            "source",
            "version",
            "created_at",
            "updated_at",
        ]
        read_only_fields = [
            "name",
            "deliverability",
            "data_completeness_pct",
            "source",
            "version",
            "created_at",
            "updated_at",
        ]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Ask for something to know the contact by.

        Raises ValidationError where name and address would both be empty.
        """
        known = ("first_name", "last_name", "email")
        if not any(attrs.get(name, getattr(self.instance, name, "")) for name in known):
            raise serializers.ValidationError("Give a first name, a last name or an e-mail address.", "required")
        return attrs

    def validate_email(self, text: str) -> str:
        """Return the address as it is stored, in small letters.

        Raises ValidationError for what is none.
        """
        email = normalise_email(text)
        if text.strip() and not email:
            raise serializers.ValidationError("Give an e-mail address such as name@company.com.", "invalid")
        return email

    def validate_time_zone(self, text: str) -> str:
        """Take a name of the IANA database.

        Raises ValidationError for any other.
        """
        if text and text not in available_timezones():
            raise serializers.ValidationError("Give a time zone such as Europe/Berlin.", "invalid")
        return text


class ContactViewSet(MemberViewSet[Contact]):
    """Contacts: the people we know."""

    visible = staticmethod(contacts_visible_to)
    serializer_class = ContactSerializer
    filterset_class = ContactFilter


class ContactAccountSerializer(AccountsSerializer):
    """A tie between a contact and an account, with employment from and to."""

    class Meta:
        model = ContactAccount
        fields = [
            "id",
            "contact",
            "account",
            "relation",
            "job_title",
            "started_on",
            "ended_on",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["source", "created_at", "updated_at"]


class ContactAccountViewSet(DetailViewSet[ContactAccount]):
    """All accounts of contacts, past ones too."""

    visible = staticmethod(contact_accounts_visible_to)
    serializer_class = ContactAccountSerializer
    filterset_class = ContactAccountFilter


class ConsentSerializer(AccountsSerializer):
    """What a contact said about one topic on one channel, at one moment; the latest row holds."""

    class Meta:
        model = Consent
        fields = [
            "id",
            "contact",
            "topic",
            "channel",
            "status",
            "legal_basis",
            "obtained_by",
            "proof",
            "at",
            "source",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["source", "created_at", "updated_at"]


class ConsentViewSet(DetailViewSet[Consent]):
    """Consents: added, never changed or removed, so that the proof stays."""

    visible = staticmethod(consents_visible_to)
    serializer_class = ConsentSerializer
    filterset_class = ConsentFilter
    http_method_names = ["get", "post", "head", "options"]
    parents = "a contact"
