"""What a user holds open in the records, for the hand-over when the user is deactivated."""

from dataclasses import dataclass

from segmentation_crm.common.models import User
from segmentation_crm.common.services.users import OwnedRows

from .models import Account, Contact, Opportunity, Task
from .services.changes import record_bulk


@dataclass(frozen=True)
class OwnedRecords(OwnedRows):
    """Open rows of a kind of record that has a log of changes."""

    record_type: str = ""

    def move(self, user: User, successor: User) -> int:
        """Give the user's open rows to the successor, and log it for each (3 queries)."""
        ids = list(self.rows().filter(**{self.column: user}).values_list("pk", flat=True))
        moved = super().move(user, successor)
        record_bulk(
            self.record_type, [(pk, [{"field": self.column, "old": user.pk, "new": successor.pk}]) for pk in ids]
        )
        return moved


def handovers() -> list[OwnedRows]:
    """Return the kinds of open work; closed deals are not among them and keep their owner."""
    return [
        OwnedRecords("accounts", Account.objects.all, record_type="account"),
        OwnedRecords("accounts as SDR", Account.objects.all, column="sdr", record_type="account"),
        OwnedRecords("contacts", Contact.objects.all, record_type="contact"),
        OwnedRecords(
            "open opportunities",
            lambda: Opportunity.objects.exclude(stage__is_open=False),
            record_type="opportunity",
        ),
        OwnedRows("open tasks", lambda: Task.objects.filter(done_at__isnull=True)),
    ]
