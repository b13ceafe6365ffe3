"""What the values of fields were, and where values came from."""

from django.db import models
from django.db.models import Q

from segmentation_crm.common.folding import FoldedField

from ..choices import RecordType, SourceKind, SourceType
from .columns import closed, fraction, token, within


class FieldHistory(models.Model):
    """A value a field held from one moment to another; kept by database triggers (see accounts.history).

    `value` is a token or a stage's slug, "" where the field was empty. `is_reconstructed`: the row was made with
    the record, from its own dates; imported history replaces it. `source`: "trigger", "import" …
    """

    record_type = models.CharField(max_length=16, choices=RecordType.choices)
    record_id = models.PositiveBigIntegerField()
    field = models.CharField(max_length=40)
    value = models.CharField(max_length=120, blank=True, default="")
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)
    source = models.CharField(max_length=60, blank=True, default="")
    is_reconstructed = models.BooleanField(default=False)

    class Meta:
        ordering = ["record_type", "record_id", "field", "valid_from", "id"]
        verbose_name_plural = "field history"
        constraints = [
            models.UniqueConstraint(
                fields=["record_type", "record_id", "field"],
                condition=Q(valid_to__isnull=True),
                name="accounts_fieldhistory_one_current",
            ),
        ]
        indexes = [
            models.Index(fields=["record_type", "field", "record_id", "valid_from"], name="accounts_history_record"),
            models.Index(fields=["record_type", "field", "value", "valid_from"], name="accounts_history_value"),
            models.Index(fields=["record_type", "field", "valid_from"], name="accounts_history_from"),
        ]

    def __str__(self) -> str:
        return f"{self.record_type} {self.record_id} {self.field}: {self.value}"


class Provenance(models.Model):
    """Where the value of a field came from and when it was observed; one row for each field of a record."""

    record_type = models.CharField(max_length=16, choices=RecordType.choices)
    record_id = models.PositiveBigIntegerField()
    field = models.CharField(max_length=60)
    source_system = models.CharField(max_length=60, blank=True, default="")
    source_system_folded = FoldedField("source_system", max_length=120)
    source_type = token(SourceType)
    kind = token(SourceKind)
    observed_on = models.DateField(null=True, blank=True)
    confidence = fraction()

    class Meta:
        ordering = ["record_type", "record_id", "field"]
        verbose_name_plural = "provenance"
        constraints = [
            *closed("provenance", record_type=RecordType, source_type=SourceType, kind=SourceKind),
            *within("provenance", 0, 1, "confidence"),
            models.UniqueConstraint(fields=["record_type", "record_id", "field"], name="accounts_provenance_unique"),
        ]
        indexes = [
            models.Index(fields=["record_type", "field", "observed_on"], name="accounts_provenance_observed"),
        ]

    def __str__(self) -> str:
        return f"{self.record_type} {self.record_id} {self.field}: {self.source_system}"


class ExternalId(models.Model):
    """The number a record has in another system; unique for each kind of record and system."""

    record_type = models.CharField(max_length=16, choices=RecordType.choices)
    record_id = models.PositiveBigIntegerField()
    source = models.CharField(max_length=60)
    external_id = models.CharField(max_length=200)

    class Meta:
        ordering = ["record_type", "record_id", "source"]
        constraints = [
            *closed("externalid", record_type=RecordType),
            models.UniqueConstraint(fields=["record_type", "source", "external_id"], name="accounts_externalid_unique"),
        ]
        indexes = [models.Index(fields=["record_type", "record_id"], name="accounts_externalid_record")]

    def __str__(self) -> str:
        return f"{self.source}: {self.external_id}"
