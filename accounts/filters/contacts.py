"""Filters of contacts, their ties to accounts and their consents."""

import django_filters
from django.db.models import Q

from ..choices import (
    BuyingRole,
    Channel,
    ConsentStatus,
    ContactLifecycle,
    ContactRelation,
    Deliverability,
    Department,
    LeadStatus,
    RecordType,
    Seniority,
    Vocabulary,
)
from ..models import Consent, Contact, ContactAccount, ContactValue, Persona
from .making import (
    IdFilter,
    ImportedFilterSet,
    MultiTermsFilter,
    MultiTokensFilter,
    Ordering,
    PersonFilter,
    SearchFilter,
    SlugFilter,
    TermsFilter,
    TextFilter,
    TokenFilter,
    YesNoFilter,
    flag,
)


class ContactFilter(ImportedFilterSet):
    """Contacts by who they are, for whom they work and where they stand."""

    record_type = RecordType.CONTACT

    search = SearchFilter("full_name_folded", "email_folded", "company_name_given_folded")
    email = TextFilter(field_name="email_folded", folded=True, max_length=254, label="E-mail is")
    email_domain = TextFilter(field_name="email_domain", folded=True, label="E-mail domain")  # kept in lower case
    account = IdFilter(field_name="account_id", label="Account")
    without_account = YesNoFilter(method=flag(Q(account__isnull=True)), label="Without account")
    without_email = YesNoFilter(method=flag(Q(email="")), label="Without e-mail")
    without_title = YesNoFilter(method=flag(Q(job_title="")), label="Without job title")
    owner = PersonFilter(field_name="owner_id", label="Owner")
    unowned = YesNoFilter(method=flag(Q(owner__isnull=True)), label="Without owner")
    job_title = TextFilter(
        field_name="job_title_folded", folded=True, lookup_expr="contains", label="Job title contains"
    )
    seniority = TokenFilter(Seniority)
    department = TokenFilter(Department)
    buying_role = MultiTokensFilter(BuyingRole, "contact", ContactValue, "buying_roles", label="Buying role")
    persona = SlugFilter(Persona.objects.all(), field_name="persona")
    country = TextFilter(field_name="country", max_length=2, lookup_expr="iexact", label="Country")
    lifecycle_stage = TokenFilter(ContactLifecycle)
    lead_status = TokenFilter(LeadStatus)
    deliverability = TokenFilter(Deliverability)
    preferred_channel = TokenFilter(Channel)
    do_not_contact = YesNoFilter(field_name="do_not_contact", label="Do not contact")
    tag = MultiTermsFilter(Vocabulary.TAG, "contact", ContactValue, "tags", label="Tag")
    ordering = Ordering(
        id="pk",
        name="full_name_folded",
        last_name="last_name_folded",
        email="email_folded",
        account="account__name_folded",
        job_title="job_title_folded",
        lifecycle_stage="lifecycle_stage",
        created_at="created_at",
        updated_at="updated_at",
    )

    class Meta:
        model = Contact
        fields: list[str] = []


class ContactAccountFilter(ImportedFilterSet):
    """Ties between contacts and accounts."""

    record_type = RecordType.CONTACT_ACCOUNT

    contact = IdFilter(field_name="contact_id")
    account = IdFilter(field_name="account_id")
    relation = TokenFilter(ContactRelation)
    current = YesNoFilter(method=flag(Q(ended_on__isnull=True)), label="Not ended")
    ordering = Ordering(id="pk", started_on="started_on", ended_on="ended_on")

    class Meta:
        model = ContactAccount
        fields: list[str] = []


class ConsentFilter(ImportedFilterSet):
    """What contacts agreed to."""

    record_type = RecordType.CONSENT

    contact = IdFilter(field_name="contact_id")
    topic = TermsFilter(Vocabulary.CONSENT_TOPIC, field_name="topic")
    channel = TokenFilter(Channel)
    status = TokenFilter(ConsentStatus)
    at_from = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="gte")
    at_until = django_filters.IsoDateTimeFilter(field_name="at", lookup_expr="lt")
    ordering = Ordering(id="pk", at="at")

    class Meta:
        model = Consent
        fields: list[str] = []
