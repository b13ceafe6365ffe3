"""What the organisation sells and by which steps; technologies, vendors, personas, rates, role templates."""

from django.db import models
from django.db.models import ExpressionWrapper, Q

from segmentation_crm.common.folding import FoldedField

from ..choices import BuyingRole, CatalogueKind, RoleGroup, Vocabulary
from .columns import ImportedModel, closed, fraction, money_amount, money_currency, money_reporting, term, within


class Product(ImportedModel):
    """Something we sell."""

    name = models.CharField(max_length=200)
    name_folded = FoldedField("name", max_length=400)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    sku = models.CharField(max_length=80, blank=True, default="")
    sku_folded = FoldedField("sku", max_length=160)
    category = term(Vocabulary.PRODUCT_CATEGORY)
    list_price = money_amount()
    list_price_currency = money_currency()
    list_price_reporting = money_reporting()
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name_folded"], name="accounts_product_name_unique")]

    def __str__(self) -> str:
        return self.name


class Vendor(ImportedModel):
    """A company that makes technologies."""

    name = models.CharField(max_length=200)
    name_folded = FoldedField("name", max_length=400)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    is_competitor = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name_folded"], name="accounts_vendor_name_unique")]

    def __str__(self) -> str:
        return self.name


class TechnologyProduct(ImportedModel):
    """A technology that accounts use."""

    name = models.CharField(max_length=200)
    name_folded = FoldedField("name", max_length=400)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    vendor = models.ForeignKey(Vendor, null=True, blank=True, on_delete=models.PROTECT, related_name="products")
    category = term(Vocabulary.TECHNOLOGY_CATEGORY)
    is_cloud_provider = models.BooleanField(default=False)
    is_competitor = models.BooleanField(default=False)
    is_integration_partner = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name_folded"], name="accounts_technologyproduct_name_unique")]

    def __str__(self) -> str:
        return self.name


class Pipeline(models.Model):
    """An ordered set of stages; one is the default."""

    name = models.CharField(max_length=120)
    name_folded = FoldedField("name", max_length=240)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    is_default = models.BooleanField(default=False)
    position = models.PositiveIntegerField(default=0)
    stale_after_days = models.PositiveSmallIntegerField(
        default=30, help_text="An open deal without stage change or activity for so many days is shown as stale"
    )

    class Meta:
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["name_folded"], name="accounts_pipeline_name_unique"),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="accounts_pipeline_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Stage(models.Model):
    """A step of a pipeline: open, won or lost. History keeps its slug, so the slug stays."""

    pipeline = models.ForeignKey(Pipeline, on_delete=models.PROTECT, related_name="stages")
    name = models.CharField(max_length=120)
    name_folded = FoldedField("name", max_length=240)
    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    position = models.PositiveIntegerField(default=0)
    probability = fraction()
    is_won = models.BooleanField(default=False)
    is_lost = models.BooleanField(default=False)
    is_open = models.GeneratedField(
        expression=ExpressionWrapper(Q(is_won=False, is_lost=False), output_field=models.BooleanField()),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["pipeline", "position", "name"]
        constraints = [
            models.UniqueConstraint(fields=["pipeline", "name_folded"], name="accounts_stage_name_unique"),
            models.CheckConstraint(
                condition=Q(is_won=False) | Q(is_lost=False),
                name="accounts_stage_won_or_lost",
                violation_error_message="A stage is won or lost, not both.",
            ),
            *within("stage", 0, 1, "probability"),
        ]

    def __str__(self) -> str:
        return self.name


class Persona(models.Model):
    """A typical person we talk to; its rule and evidence belong to a segment's profile."""

    slug = models.SlugField(max_length=120, unique=True, allow_unicode=True)
    name = models.CharField(max_length=120)
    name_folded = FoldedField("name", max_length=240)
    role = models.CharField(max_length=32, choices=BuyingRole.choices, blank=True, default="")
    text = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["name_folded"], name="accounts_persona_name_unique"),
            *closed("persona", role=BuyingRole),
        ]

    def __str__(self) -> str:
        return self.name


class CatalogueAlias(models.Model):
    """Another spelling of a catalogue entry, kept after a merge; `scope` is a stage's pipeline, else 0."""

    kind = models.CharField(max_length=32, choices=CatalogueKind.choices)
    record_id = models.PositiveBigIntegerField()
    scope = models.PositiveBigIntegerField(default=0)
    text = models.CharField(max_length=200)
    text_folded = FoldedField("text", max_length=400)

    class Meta:
        ordering = ["kind", "text"]
        verbose_name_plural = "catalogue aliases"
        constraints = [
            *closed("cataloguealias", kind=CatalogueKind),
            models.UniqueConstraint(fields=["kind", "scope", "text_folded"], name="accounts_cataloguealias_unique"),
        ]
        indexes = [models.Index(fields=["kind", "record_id"], name="accounts_cataloguealias_record")]

    def __str__(self) -> str:
        return self.text


class ExchangeRate(models.Model):
    """How much of the `quote` currency one unit of `base` cost from this day on."""

    base = models.CharField(max_length=3)
    quote = models.CharField(max_length=3)
    on_date = models.DateField()
    rate = models.DecimalField(max_digits=20, decimal_places=10)

    class Meta:
        ordering = ["base", "quote", "-on_date"]
        constraints = [
            models.UniqueConstraint(fields=["base", "quote", "on_date"], name="accounts_exchangerate_unique"),
            models.CheckConstraint(
                condition=Q(rate__gt=0),
                name="accounts_exchangerate_positive",
                violation_error_message="rate must be above 0.",
            ),
            models.CheckConstraint(condition=~Q(base=models.F("quote")), name="accounts_exchangerate_two_currencies"),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.rate} {self.quote} ({self.on_date})"


class RoleTemplate(models.Model):
    """Which buying roles a committee needs, for committee completeness; one template is the default."""

    name = models.CharField(max_length=120, unique=True)
    pipeline = models.ForeignKey(
        Pipeline, null=True, blank=True, on_delete=models.CASCADE, related_name="role_templates"
    )
    is_default = models.BooleanField(default=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="accounts_roletemplate_one_default"
            )
        ]

    def __str__(self) -> str:
        return self.name


class RoleTemplateRole(models.Model):
    """One line of a role template: a role or a whole group, how many, and its weight."""

    template = models.ForeignKey(RoleTemplate, on_delete=models.CASCADE, related_name="roles")
    role = models.CharField(max_length=32, choices=BuyingRole.choices, blank=True, default="")
    role_group = models.CharField(max_length=32, choices=RoleGroup.choices, blank=True, default="")
    minimum = models.PositiveSmallIntegerField(default=1)
    weight = models.DecimalField(max_digits=6, decimal_places=2, default=1)

    class Meta:
        ordering = ["template", "id"]
        constraints = [
            *closed("roletemplaterole", role=BuyingRole, role_group=RoleGroup),
            models.UniqueConstraint(fields=["template", "role", "role_group"], name="accounts_roletemplaterole_unique"),
            models.CheckConstraint(
                condition=(Q(role="") & ~Q(role_group="")) | (~Q(role="") & Q(role_group="")),
                name="accounts_roletemplaterole_role_or_group",
                violation_error_message="Name a role or a role group, one of them.",
            ),
            models.CheckConstraint(
                condition=Q(minimum__gte=1, weight__gt=0), name="accounts_roletemplaterole_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.minimum} × {self.role or self.role_group}"
