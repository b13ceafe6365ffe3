"""Contacts: people, their roles in purchases and the accounts they work for."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from segmentation_crm.common.folding import FoldedField

from ..choices import (
    Channel,
    ContactLifecycle,
    ContactRelation,
    ContentFormat,
    Deliverability,
    Department,
    LeadStatus,
    RiskAppetite,
    Seniority,
    Vocabulary,
)
from .accounts import Account
from .catalogue import Persona
from .columns import LIVE, ImportedModel, RecordModel, closed, not_live, one_value, term, token, within
from .vocabularies import IndustryCode, Term

LIVE_CONTACT: tuple[tuple[str, Any], ...] = (*LIVE, ("erased_at__isnull", True))
GONE = not_live(LIVE_CONTACT)
LIVE_ROWS = Q(**dict(LIVE_CONTACT))


class Contact(RecordModel):
    """A person.

    `account` is the primary account; the others, with employment from and to, are rows of `ContactAccount`.
    `proposed_account` was found by the company's name and waits for a person to accept it. Multi fields
    (buying_roles, tags, likes …) are rows of `ContactValue`.
    """

    LIVE: tuple[tuple[str, Any], ...] = LIVE_CONTACT

    # Identity
    first_name = models.CharField(max_length=120, blank=True, default="")
    first_name_folded = FoldedField("first_name", max_length=240)
    last_name = models.CharField(max_length=120, blank=True, default="")
    last_name_folded = FoldedField("last_name", max_length=240)
    full_name_folded = FoldedField("full_name", max_length=500)
    email = models.CharField(max_length=254, blank=True, default="")
    email_folded = FoldedField("email", max_length=254)
    email_domain = models.CharField(max_length=253, blank=True, default="", editable=False)
    phone = models.CharField(max_length=40, blank=True, default="")
    phone_folded = FoldedField("phone", max_length=40)
    mobile = models.CharField(max_length=40, blank=True, default="", help_text="E.164")
    mobile_folded = FoldedField("mobile", max_length=40)
    linkedin_url = models.CharField(max_length=500, blank=True, default="")
    linkedin_url_folded = FoldedField("linkedin_url", max_length=500)
    country = models.CharField(max_length=2, blank=True, default="", help_text="ISO 3166-1 alpha-2")
    nationality = models.CharField(max_length=2, blank=True, default="", help_text="ISO 3166-1 alpha-2")
    language = models.CharField(max_length=35, blank=True, default="", help_text="BCP 47")
    language_folded = FoldedField("language", max_length=70)
    time_zone = models.CharField(max_length=64, blank=True, default="")
    time_zone_folded = FoldedField("time_zone", max_length=64)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="contacts"
    )
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="contacts",
        help_text="The primary account",
    )
    proposed_account = models.ForeignKey(
        Account, null=True, blank=True, editable=False, on_delete=models.SET_NULL, related_name="+"
    )
    refused_account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text="A proposal that a person refused; never proposed again",
    )
    company_name_given = models.CharField(max_length=255, blank=True, default="")
    company_name_given_folded = FoldedField("company_name_given", max_length=500)
    # Job
    job_title = models.CharField(max_length=200, blank=True, default="")
    job_title_folded = FoldedField("job_title", max_length=400)
    seniority = token(Seniority)
    department = token(Department)
    persona = models.ForeignKey(Persona, null=True, blank=True, on_delete=models.PROTECT, related_name="contacts")
    # Personal
    risk_appetite = token(RiskAppetite)
    preferred_channel = token(Channel)
    preferred_content_format = token(ContentFormat)
    # State
    lifecycle_stage = token(ContactLifecycle)
    became_subscriber_at = models.DateTimeField(null=True, blank=True)
    became_lead_at = models.DateTimeField(null=True, blank=True)
    became_mql_at = models.DateTimeField(null=True, blank=True)
    became_sal_at = models.DateTimeField(null=True, blank=True)
    became_sql_at = models.DateTimeField(null=True, blank=True)
    became_opportunity_at = models.DateTimeField(null=True, blank=True)
    became_customer_at = models.DateTimeField(null=True, blank=True)
    became_evangelist_at = models.DateTimeField(null=True, blank=True)
    lead_status = token(LeadStatus)
    reject_reason = term(Vocabulary.REJECT_REASON)
    recycle_until = models.DateField(null=True, blank=True)
    deliverability = token(Deliverability, default=Deliverability.UNKNOWN)
    do_not_contact = models.BooleanField(default=False)
    data_completeness_pct = models.DecimalField(max_digits=5, decimal_places=2, null=True, blank=True, editable=False)
    erased_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["last_name", "first_name"]
        constraints = [
            *closed(
                "contact",
                seniority=Seniority,
                department=Department,
                risk_appetite=RiskAppetite,
                preferred_channel=Channel,
                preferred_content_format=ContentFormat,
                lifecycle_stage=ContactLifecycle,
                lead_status=LeadStatus,
                deliverability=Deliverability,
            ),
            *within("contact", 0, 100, "data_completeness_pct"),
            models.UniqueConstraint(
                fields=["email"],
                condition=~Q(email="") & Q(deleted_at__isnull=True, merged_into__isnull=True, erased_at__isnull=True),
                name="accounts_contact_email_unique",
                violation_error_message="Another contact already has this e-mail address.",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], name="accounts_contact_gone", condition=GONE),
            models.Index(fields=["full_name_folded", "id"], name="accounts_contact_full_name"),
            models.Index(fields=["last_name_folded", "first_name_folded"], name="accounts_contact_name"),
            models.Index(fields=["email_folded"], name="accounts_contact_email"),
            # Thousands share an account or a domain: they are read in the order of the list.
            models.Index(fields=["account", "full_name_folded", "id"], name="accounts_contact_account_name"),
            models.Index(fields=["email_domain", "full_name_folded", "id"], name="accounts_contact_domain_name"),
            # The page of contacts without account looks at the newest, from this index alone.
            models.Index(
                fields=["id", "email_domain", "owner", "first_name", "last_name", "email"],
                name="accounts_contact_unmatched",
                condition=LIVE_ROWS & Q(account__isnull=True),
            ),
            models.Index(fields=["company_name_given_folded"], name="accounts_contact_company"),
            models.Index(fields=["country", "id"], name="accounts_contact_country"),
            models.Index(fields=["seniority", "department"], name="accounts_contact_seniority"),
            models.Index(fields=["department"], name="accounts_contact_department"),
            models.Index(fields=["lifecycle_stage"], name="accounts_contact_lifecycle"),
            models.Index(fields=["lead_status"], name="accounts_contact_lead_status"),
            models.Index(fields=["updated_at", "id"], name="accounts_contact_updated"),
            models.Index(fields=["created_at", "id"], name="accounts_contact_created"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def full_name(self) -> str:
        """Return first and last name, one of them where the other is missing."""
        return f"{self.first_name or ''} {self.last_name or ''}".strip()

    @property
    def name(self) -> str:
        """Return what to call the contact: the full name, else the e-mail address, else the number."""
        return self.full_name or self.email or f"Contact {self.pk}"

    @property
    def is_live(self) -> bool:
        """Tell whether the contact is neither deleted, merged away nor erased."""
        return super().is_live and self.erased_at is None


class ContactValue(models.Model):
    """One value of a multi field of a contact: a token, a term or a code.

    Fields: buying_roles (token); tags, likes, dislikes, attitudes, values, beliefs, traits (term).
    """

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="values_multi", db_index=False)
    field = models.CharField(max_length=40)
    token = models.CharField(max_length=253, blank=True, default="")
    term = models.ForeignKey(Term, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    code = models.ForeignKey(
        IndustryCode, null=True, blank=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            one_value("contactvalue"),
            models.UniqueConstraint(
                fields=["contact", "field", "token"],
                condition=~Q(token=""),
                name="accounts_contactvalue_token_unique",
            ),
            models.UniqueConstraint(
                fields=["contact", "field", "term"],
                condition=Q(term__isnull=False),
                name="accounts_contactvalue_term_unique",
            ),
            models.UniqueConstraint(
                fields=["contact", "field", "code"],
                condition=Q(code__isnull=False),
                name="accounts_contactvalue_code_unique",
            ),
        ]
        indexes = [
            models.Index(fields=["contact", "field"], name="accounts_contactvalue_owner"),
            models.Index(fields=["field", "token", "contact"], name="accounts_contactvalue_token"),
            models.Index(fields=["field", "term", "contact"], name="accounts_contactvalue_term"),
            models.Index(fields=["field", "code", "contact"], name="accounts_contactvalue_code"),
            models.Index(fields=["term"], name="accounts_contactvalue_by_term"),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.token or self.term or self.code}"


class ContactAccount(ImportedModel):
    """A tie between a contact and an account, with employment from and to; the primary one is listed too."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="account_links")
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="contact_links")
    relation = token(ContactRelation, default=ContactRelation.EMPLOYEE)
    job_title = models.CharField(max_length=200, blank=True, default="")
    started_on = models.DateField(null=True, blank=True)
    ended_on = models.DateField(null=True, blank=True)

    class Meta:
        ordering = ["contact", "-started_on", "id"]
        constraints = [
            *closed("contactaccount", relation=ContactRelation),
            models.UniqueConstraint(
                fields=["contact", "account", "relation"],
                condition=Q(ended_on__isnull=True),
                name="accounts_contactaccount_one_current",
            ),
            models.CheckConstraint(
                condition=Q(started_on__isnull=True)
                | Q(ended_on__isnull=True)
                | Q(ended_on__gte=models.F("started_on")),
                name="accounts_contactaccount_dates",
                violation_error_message="ended_on must not lie before started_on.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.contact} – {self.account}"
