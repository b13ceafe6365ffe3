"""What writes left behind for the next refresh, and how many of these rows were taken so far."""

from django.db import models
from django.utils import timezone


class ChangeRow(models.Model):
    """What one statement (PostgreSQL) or one row's write (SQLite) touched; written by triggers, taken by deletion.

    source: the table, or the name of reference data ("term:industry"). event: I, U, D (rows made, changed, deleted),
    T (the table was emptied, or writes may have been missed), R (reference data). keys, accounts, contacts,
    opportunities: the rows' own keys and those of the records they belong to or belonged to, packed as numbers of 4
    bytes, the highest first; on SQLite the number itself. words: what changed, as JSON.
    """

    source = models.CharField(max_length=63)
    event = models.CharField(max_length=1)
    count = models.PositiveBigIntegerField(default=1)
    keys = models.BinaryField(null=True)
    accounts = models.BinaryField(null=True)
    contacts = models.BinaryField(null=True)
    opportunities = models.BinaryField(null=True)
    words = models.TextField(null=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["source", "id"], name="accounts_changerow_source")]

    def __str__(self) -> str:
        return f"{self.event} {self.source} {self.count}"


class CaptureVersion(models.Model):
    """How many change rows of a source were taken, and a mark of which: what `table_versions` adds to the waiting."""

    source = models.CharField(max_length=63, primary_key=True)
    rows = models.PositiveBigIntegerField(default=0)
    mark = models.DecimalField(max_digits=40, decimal_places=0, default=0)

    def __str__(self) -> str:
        return f"{self.source} {self.rows}"
