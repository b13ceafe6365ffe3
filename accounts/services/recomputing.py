"""What follows from changed settings: amounts, bands and size classes computed anew, contacts matched anew."""

from typing import Any

from django.db import transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.extensions import after_import, tell
from segmentation_crm.common.jobs import JobRun, enqueue
from segmentation_crm.common.models import Job, User

from .accounts import refresh_computed
from .matching import queue_matching
from .money import MONEY_FIELDS, refresh_reporting

RECOMPUTE_JOB = "settings.recompute"
TITLE = "Amounts and size classes computed anew"
_OF_MONEY = frozenset({"currency", "time_zone"})


def queue_recomputing(user: AnyUser | None = None) -> Job:
    """Queue the computing of all amounts and classes; a job that waits already serves (1 to 3 queries)."""
    person = user if isinstance(user, User) else None
    return enqueue(RECOMPUTE_JOB, key=RECOMPUTE_JOB, title=TITLE, user=person)


def follow_organisation(changed: frozenset[str], user: AnyUser | None = None) -> Job | None:
    """Start what a change of the organisation's settings asks for; returns the job, or None where nothing is."""
    job = None
    if "free_mail_domains" in changed:
        job = queue_matching(user if isinstance(user, User) else None)
    if changed & _OF_MONEY or "size_limits" in changed:
        job = queue_recomputing(user)
    elif changed & {"fiscal_year_start_month", "purchase_active_days"}:
        # Rules read these settings; the records themselves stay.
        tell(after_import)
    return job


def recompute(run: JobRun) -> dict[str, Any]:
    """Compute every reporting amount, then bands and size classes; a model at a time, each its own checkpoint."""
    models = {str(model._meta.model_name): model for model in MONEY_FIELDS}
    state: dict[str, int] = dict(run.checkpoint)
    total = len(models) + 1
    for name, model in models.items():
        if name in state:
            continue
        run.check_cancelled()
        state[name] = refresh_reporting(model)
        with transaction.atomic():
            run.commit_chunk(checkpoint=state, done=len(state), total=total, unit="tables")
    run.check_cancelled()
    refresh_computed()
    tell(after_import)
    return {"amounts_changed": sum(state.values())}
