"""What a user holds open in the records, for the hand-over when the user is deactivated."""

from segmentation_crm.common.services.users import OwnedRows

from .models import Account, Contact, Opportunity, Task


def handovers() -> list[OwnedRows]:
    """Return the kinds of open work; closed deals are not among them and keep their owner."""
    return [
        OwnedRows("accounts", Account.objects.all),
        OwnedRows("accounts as SDR", Account.objects.all, column="sdr"),
        OwnedRows("contacts", Contact.objects.all),
        OwnedRows("open opportunities", lambda: Opportunity.objects.exclude(stage__is_open=False)),
        OwnedRows("open tasks", lambda: Task.objects.filter(done_at__isnull=True)),
    ]
