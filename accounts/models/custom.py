"""Custom fields: definitions that users make, and their values on accounts, contacts and opportunities."""

from django.core.validators import RegexValidator
from django.db import models

from segmentation_crm.common.folding import FoldedField

from ..choices import CustomFieldType, MemberRecord
from .accounts import Account
from .columns import closed
from .contacts import Contact
from .opportunities import Opportunity


class CustomField(models.Model):
    """A field that users added to a kind of record; rules read it as `<record>.custom.<key>`.

    `choices` of enum and multi: a list of {"value", "label"}.
    """

    record = models.CharField(max_length=16, choices=MemberRecord.choices)
    key = models.CharField(
        max_length=40,
        validators=[
            RegexValidator(
                r"^[a-z][a-z0-9_]{0,39}$",
                "Use small letters, digits and underscores, starting with a letter, at most 40.",
            )
        ],
    )
    label = models.CharField(max_length=120)
    type = models.CharField(max_length=10, choices=CustomFieldType.choices)
    choices = models.JSONField(default=list, blank=True)
    help = models.CharField(max_length=300, blank=True, default="")
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["record", "position", "key"]
        constraints = [
            *closed("customfield", record=MemberRecord, type=CustomFieldType),
            models.UniqueConstraint(
                fields=["record", "key"],
                name="accounts_customfield_key_unique",
                violation_error_message="This kind of record already has a field with that key.",
            ),
        ]

    def __str__(self) -> str:
        return self.label


class CustomValue(models.Model):
    """One value of a custom field: text, enum and multi in `text`, all numbers in `number`.

    A multi field has a row for each choice; every other type has one row.
    """

    text = models.CharField(max_length=2000, blank=True, default="")
    text_folded = FoldedField("text", max_length=2000)
    number = models.DecimalField(max_digits=24, decimal_places=6, null=True, blank=True)
    boolean = models.BooleanField(null=True, blank=True)
    date = models.DateField(null=True, blank=True)
    moment = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(next((v for v in self.filled() if v is not None), ""))

    def filled(self) -> tuple[object, ...]:
        """Return the typed values, None where empty."""
        return (self.text or None, self.number, self.boolean, self.date, self.moment)


class AccountCustomValue(CustomValue):
    """A custom value of an account."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="custom_values", db_index=False)
    definition = models.ForeignKey(CustomField, on_delete=models.PROTECT, related_name="account_values", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "definition", "text"], name="accounts_accountcustom_unique"),
        ]
        indexes = [
            models.Index(fields=["definition", "number", "account"], name="accounts_accountcustom_number"),
            models.Index(fields=["definition", "account"], name="accounts_accountcustom_def"),
        ]


class ContactCustomValue(CustomValue):
    """A custom value of a contact."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="custom_values", db_index=False)
    definition = models.ForeignKey(CustomField, on_delete=models.PROTECT, related_name="contact_values", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["contact", "definition", "text"], name="accounts_contactcustom_unique"),
        ]
        indexes = [
            models.Index(fields=["definition", "number", "contact"], name="accounts_contactcustom_number"),
            models.Index(fields=["definition", "contact"], name="accounts_contactcustom_def"),
        ]


class OpportunityCustomValue(CustomValue):
    """A custom value of an opportunity."""

    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="custom_values", db_index=False)
    definition = models.ForeignKey(
        CustomField, on_delete=models.PROTECT, related_name="opportunity_values", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["opportunity", "definition", "text"], name="accounts_oppcustom_unique"),
        ]
        indexes = [
            models.Index(fields=["definition", "number", "opportunity"], name="accounts_oppcustom_number"),
            models.Index(fields=["definition", "opportunity"], name="accounts_oppcustom_def"),
        ]
