"""Change the organisation's settings: checked, audited, never over somebody else's change."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from ..access import AnyUser
from ..extensions import after_organisation_change
from ..models import Job, Organisation

CHANGEABLE = (
    "name",
    "time_zone",
    "currency",
    "fiscal_year_start_month",
    "size_limits",
    "purchase_active_days",
    "free_mail_domains",
)
MEANWHILE = (
    "Somebody changed the settings while you were editing them. Open the page in another window to see what is new, "
    "then save again here to keep your version."
)


@transaction.atomic
def change_organisation(
    values: Mapping[str, Any], *, actor: AnyUser, version: int | None = None
) -> tuple[Organisation, list[Job]]:
    """Write the settings that differ and start the work that follows from them; returns both (3 queries and more).

    version: as the writer read it; None does not compare. Raises ValidationError naming the field, `version` where
    somebody else was faster.
    """
    Organisation.current()
    organisation = Organisation.objects.select_for_update().get(pk=1)
    if version is not None and version != organisation.version:
        raise ValidationError({"version": MEANWHILE})
    changed = {name for name in CHANGEABLE if name in values and values[name] != getattr(organisation, name)}
    if not changed:
        return organisation, []
    for name in changed:
        setattr(organisation, name, values[name])
    organisation.full_clean()
    organisation.save()
    started = [handler(frozenset(changed), actor) for handler in after_organisation_change]
    return organisation, [job for job in started if job is not None]
