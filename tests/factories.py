"""Records for tests, one factory per model. Names say nothing but a number; a test sets what it speaks of."""

import datetime
from decimal import Decimal
from typing import Any

import factory
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts import models
from accounts.choices import (
    ActivityType,
    BuyingRole,
    CodeSystem,
    ConsentStatus,
    CustomFieldType,
    Direction,
    RoleGroup,
    Vocabulary,
)
from segmentation_crm.common.models import Notification, Role, Team, Territory, User

PASSWORD = "a long enough test password"


class TeamFactory(DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class UserFactory(DjangoModelFactory):
    """An active admin unless `role` says otherwise; logs in with PASSWORD."""

    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"user{n}")
    email = factory.LazyAttribute(lambda user: f"{user.username}@our-company.example")
    first_name = factory.Sequence(lambda n: f"First{n}")
    last_name = factory.Sequence(lambda n: f"Last{n}")
    password = factory.LazyFunction(lambda: make_password(PASSWORD))
    role = Role.ADMIN


class TerritoryFactory(DjangoModelFactory):
    """A territory; `users=[…]` and `teams=[…]` assign it."""

    class Meta:
        model = Territory
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Territory {n}")

    @factory.post_generation
    def users(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted:
            self.users.set(extracted)

    @factory.post_generation
    def teams(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and extracted:
            self.teams.set(extracted)


class TermFactory(DjangoModelFactory):
    """A tag unless `vocabulary` says otherwise."""

    class Meta:
        model = models.Term

    vocabulary = Vocabulary.TAG
    slug = factory.Sequence(lambda n: f"term-{n}")
    name = factory.Sequence(lambda n: f"Term {n}")


class TermAliasFactory(DjangoModelFactory):
    class Meta:
        model = models.TermAlias

    term = factory.SubFactory(TermFactory)
    vocabulary = factory.SelfAttribute("term.vocabulary")
    text = factory.Sequence(lambda n: f"Alias {n}")


class IndustryCodeFactory(DjangoModelFactory):
    """A made-up code; the delivered ones are found with `IndustryCode.objects.get(system="sic", code="35")`."""

    class Meta:
        model = models.IndustryCode

    system = CodeSystem.NAICS
    code = factory.Sequence(lambda n: f"X{n}")
    title = factory.Sequence(lambda n: f"Industry {n}")
    level = "sector"
    path = factory.LazyAttribute(lambda code: f"/{code.code}/")


class IndustryMappingFactory(DjangoModelFactory):
    class Meta:
        model = models.IndustryMapping

    term = factory.SubFactory(TermFactory, vocabulary=Vocabulary.INDUSTRY)
    system = CodeSystem.SIC
    code_from = "3500"
    code_to = "3599"


class ProductFactory(DjangoModelFactory):
    class Meta:
        model = models.Product

    name = factory.Sequence(lambda n: f"Product {n}")
    slug = factory.Sequence(lambda n: f"product-{n}")


class VendorFactory(DjangoModelFactory):
    class Meta:
        model = models.Vendor

    name = factory.Sequence(lambda n: f"Vendor {n}")
    slug = factory.Sequence(lambda n: f"vendor-{n}")


class TechnologyProductFactory(DjangoModelFactory):
    class Meta:
        model = models.TechnologyProduct

    name = factory.Sequence(lambda n: f"Technology {n}")
    slug = factory.Sequence(lambda n: f"technology-{n}")
    vendor = factory.SubFactory(VendorFactory)


class PipelineFactory(DjangoModelFactory):
    class Meta:
        model = models.Pipeline

    name = factory.Sequence(lambda n: f"Pipeline {n}")
    slug = factory.Sequence(lambda n: f"pipeline-{n}")


class StageFactory(DjangoModelFactory):
    """An open stage of a pipeline of its own; pass is_won or is_lost for the others."""

    class Meta:
        model = models.Stage

    pipeline = factory.SubFactory(PipelineFactory)
    name = factory.Sequence(lambda n: f"Stage {n}")
    slug = factory.Sequence(lambda n: f"stage-{n}")
    position = factory.Sequence(int)


class PersonaFactory(DjangoModelFactory):
    class Meta:
        model = models.Persona

    name = factory.Sequence(lambda n: f"Persona {n}")
    slug = factory.Sequence(lambda n: f"persona-{n}")


class CatalogueAliasFactory(DjangoModelFactory):
    class Meta:
        model = models.CatalogueAlias

    kind = "product"
    record_id = factory.LazyFunction(lambda: ProductFactory().pk)
    text = factory.Sequence(lambda n: f"Other name {n}")


class ExchangeRateFactory(DjangoModelFactory):
    class Meta:
        model = models.ExchangeRate

    base = "EUR"
    quote = "USD"
    on_date = datetime.date(2020, 1, 1)
    rate = Decimal("1.10")


class RoleTemplateFactory(DjangoModelFactory):
    class Meta:
        model = models.RoleTemplate

    name = factory.Sequence(lambda n: f"Role template {n}")


class RoleTemplateRoleFactory(DjangoModelFactory):
    class Meta:
        model = models.RoleTemplateRole

    template = factory.SubFactory(RoleTemplateFactory)
    role_group = RoleGroup.EXECUTIVE


class AccountFactory(DjangoModelFactory):
    """A prospect without owner, country or figures."""

    class Meta:
        model = models.Account

    name = factory.Sequence(lambda n: f"Account {n}")


class AccountValueFactory(DjangoModelFactory):
    """A tag unless `field` and token, term or code say otherwise."""

    class Meta:
        model = models.AccountValue

    account = factory.SubFactory(AccountFactory)
    field = "tags"
    term = factory.Maybe(
        "needs_term",
        yes_declaration=factory.SubFactory(TermFactory),
        no_declaration=None,
    )

    class Params:
        needs_term = factory.LazyAttribute(
            lambda value: not getattr(value, "token", "") and getattr(value, "code", None) is None
        )


class ContactFactory(DjangoModelFactory):
    """A person at an account of their own; `account=None` for one without. The link to the account is made too."""

    class Meta:
        model = models.Contact
        skip_postgeneration_save = True

    first_name = factory.Sequence(lambda n: f"Given{n}")
    last_name = factory.Sequence(lambda n: f"Family{n}")
    email = factory.Sequence(lambda n: f"contact{n}@company.example")
    account = factory.SubFactory(AccountFactory)

    @factory.post_generation
    def link(self, create: bool, extracted: Any, **kwargs: Any) -> None:
        if create and self.account_id is not None:
            models.ContactAccount.objects.get_or_create(contact=self, account=self.account)


class ContactValueFactory(DjangoModelFactory):
    """A buying role unless `field` and token or term say otherwise."""

    class Meta:
        model = models.ContactValue

    contact = factory.SubFactory(ContactFactory)
    field = "buying_roles"
    token = factory.LazyAttribute(lambda value: "" if getattr(value, "term", None) else BuyingRole.CHAMPION)


class ContactAccountFactory(DjangoModelFactory):
    class Meta:
        model = models.ContactAccount

    contact = factory.SubFactory(ContactFactory)
    account = factory.SubFactory(AccountFactory)


class ContentItemFactory(DjangoModelFactory):
    class Meta:
        model = models.ContentItem

    title = factory.Sequence(lambda n: f"Content {n}")


class CampaignRefFactory(DjangoModelFactory):
    class Meta:
        model = models.CampaignRef

    name = factory.Sequence(lambda n: f"Campaign {n}")
    slug = factory.Sequence(lambda n: f"campaign-{n}")


class OpportunityFactory(DjangoModelFactory):
    """An open opportunity of an account and a stage of their own; pass `stage` for won or lost."""

    class Meta:
        model = models.Opportunity

    name = factory.Sequence(lambda n: f"Opportunity {n}")
    account = factory.SubFactory(AccountFactory)
    stage = factory.SubFactory(StageFactory)
    pipeline = factory.LazyAttribute(lambda opportunity: opportunity.stage.pipeline if opportunity.stage else None)


class OpportunityValueFactory(DjangoModelFactory):
    class Meta:
        model = models.OpportunityValue

    opportunity = factory.SubFactory(OpportunityFactory)
    field = "objections"
    term = factory.SubFactory(TermFactory, vocabulary=Vocabulary.OBJECTION)


class OpportunityLineFactory(DjangoModelFactory):
    class Meta:
        model = models.OpportunityLine

    opportunity = factory.SubFactory(OpportunityFactory)
    product = factory.SubFactory(ProductFactory)
    quantity = Decimal(1)


class OpportunityContactFactory(DjangoModelFactory):
    class Meta:
        model = models.OpportunityContact

    opportunity = factory.SubFactory(OpportunityFactory)
    contact = factory.SubFactory(ContactFactory, account=factory.SelfAttribute("..opportunity.account"))
    role = BuyingRole.CHAMPION


class ActivityFactory(DjangoModelFactory):
    """An inbound page view of a contact, at the contact's account, a moment ago."""

    class Meta:
        model = models.Activity

    type = ActivityType.PAGE_VIEW
    direction = Direction.INBOUND
    occurred_at = factory.LazyFunction(lambda: timezone.now() - datetime.timedelta(minutes=1))
    contact = factory.SubFactory(ContactFactory)
    account = factory.LazyAttribute(lambda activity: activity.contact.account if activity.contact else None)


class AccountTechnologyFactory(DjangoModelFactory):
    class Meta:
        model = models.AccountTechnology

    account = factory.SubFactory(AccountFactory)
    product = factory.SubFactory(TechnologyProductFactory)


class NeedFactory(DjangoModelFactory):
    """A need of an account; pass `account=None, contact=…` for one of a contact."""

    class Meta:
        model = models.Need

    account = factory.SubFactory(AccountFactory)
    need = factory.SubFactory(TermFactory, vocabulary=Vocabulary.NEED)


class PurchaseFactory(DjangoModelFactory):
    class Meta:
        model = models.Purchase

    account = factory.SubFactory(AccountFactory)
    product = factory.SubFactory(ProductFactory)
    quantity = Decimal(1)
    amount = Decimal(100)
    amount_reporting = factory.SelfAttribute("amount")
    ordered_at = factory.LazyFunction(lambda: timezone.now() - datetime.timedelta(days=1))


class ContractFactory(DjangoModelFactory):
    class Meta:
        model = models.Contract

    account = factory.SubFactory(AccountFactory)
    product = factory.SubFactory(ProductFactory)
    starts_on = datetime.date(2025, 1, 1)
    mrr = Decimal(100)
    mrr_reporting = factory.SelfAttribute("mrr")


class SupportCaseFactory(DjangoModelFactory):
    class Meta:
        model = models.SupportCase

    account = factory.SubFactory(AccountFactory)
    opened_at = factory.LazyFunction(lambda: timezone.now() - datetime.timedelta(days=1))


class SurveyAnswerFactory(DjangoModelFactory):
    class Meta:
        model = models.SurveyAnswer

    account = factory.SubFactory(AccountFactory)
    survey = "Yearly survey"
    question = "What matters?"
    answer = factory.Sequence(lambda n: f"Answer {n}")
    answered_at = factory.LazyFunction(lambda: timezone.now() - datetime.timedelta(days=1))


class ConsentFactory(DjangoModelFactory):
    class Meta:
        model = models.Consent

    contact = factory.SubFactory(ContactFactory)
    status = ConsentStatus.GRANTED
    at = factory.LazyFunction(lambda: timezone.now() - datetime.timedelta(days=1))


class TaskFactory(DjangoModelFactory):
    class Meta:
        model = models.Task

    title = factory.Sequence(lambda n: f"Task {n}")
    account = factory.SubFactory(AccountFactory)


class NoteFactory(DjangoModelFactory):
    class Meta:
        model = models.Note

    text = factory.Sequence(lambda n: f"Note {n}")
    account = factory.SubFactory(AccountFactory)


class EvidenceFactory(DjangoModelFactory):
    """An objection heard at an account."""

    class Meta:
        model = models.Evidence

    kind = "objection"
    term = factory.SubFactory(TermFactory, vocabulary=Vocabulary.OBJECTION)
    account = factory.SubFactory(AccountFactory)
    said_at = factory.LazyFunction(timezone.now)


class NotificationFactory(DjangoModelFactory):
    """An unread notification without e-mail."""

    class Meta:
        model = Notification

    user = factory.SubFactory(UserFactory)
    kind = "task"
    key = factory.Sequence(lambda n: f"key:{n}")
    title = factory.Sequence(lambda n: f"Notification {n}")
    created_at = factory.LazyFunction(timezone.now)


class CustomFieldFactory(DjangoModelFactory):
    """A text field on accounts unless `record` and `type` say otherwise."""

    class Meta:
        model = models.CustomField

    record = "account"
    key = factory.Sequence(lambda n: f"field_{n}")
    label = factory.Sequence(lambda n: f"Field {n}")
    type = CustomFieldType.TEXT


class AccountCustomValueFactory(DjangoModelFactory):
    class Meta:
        model = models.AccountCustomValue

    account = factory.SubFactory(AccountFactory)
    definition = factory.SubFactory(CustomFieldFactory, record="account")


class ContactCustomValueFactory(DjangoModelFactory):
    class Meta:
        model = models.ContactCustomValue

    contact = factory.SubFactory(ContactFactory)
    definition = factory.SubFactory(CustomFieldFactory, record="contact")


class OpportunityCustomValueFactory(DjangoModelFactory):
    class Meta:
        model = models.OpportunityCustomValue

    opportunity = factory.SubFactory(OpportunityFactory)
    definition = factory.SubFactory(CustomFieldFactory, record="opportunity")


class FieldHistoryFactory(DjangoModelFactory):
    class Meta:
        model = models.FieldHistory

    record_type = "account"
    record_id = factory.LazyFunction(lambda: AccountFactory().pk)
    field = "lifecycle_stage"
    value = "target"
    valid_from = factory.LazyFunction(timezone.now)


class ProvenanceFactory(DjangoModelFactory):
    class Meta:
        model = models.Provenance

    record_type = "account"
    record_id = factory.LazyFunction(lambda: AccountFactory().pk)
    field = "employee_count"


class ExternalIdFactory(DjangoModelFactory):
    class Meta:
        model = models.ExternalId

    record_type = "account"
    record_id = factory.LazyFunction(lambda: AccountFactory().pk)
    source = "import"
    external_id = factory.Sequence(lambda n: f"ext-{n}")


class RecordChangeFactory(DjangoModelFactory):
    class Meta:
        model = models.RecordChange

    record_type = "account"
    record_id = factory.LazyFunction(lambda: AccountFactory().pk)
    at = factory.LazyFunction(timezone.now)
    actor = factory.SubFactory(UserFactory)
    action = "updated"
    changes = factory.LazyFunction(lambda: [{"field": "urgency", "old": "", "new": "high"}])


class RecordMergeFactory(DjangoModelFactory):
    class Meta:
        model = models.RecordMerge

    record_type = "account"
    kept_id = factory.LazyFunction(lambda: AccountFactory().pk)
    gone_id = factory.LazyFunction(lambda: AccountFactory().pk)
    at = factory.LazyFunction(timezone.now)
    actor = factory.SubFactory(UserFactory)


class AttachmentFactory(DjangoModelFactory):
    """A row without a file behind it."""

    class Meta:
        model = models.Attachment

    name = factory.Sequence(lambda n: f"file {n}.pdf")
    path = factory.Sequence(lambda n: f"attachments/{n}")
    account = factory.SubFactory(AccountFactory)
    uploaded_by = factory.SubFactory(UserFactory)
