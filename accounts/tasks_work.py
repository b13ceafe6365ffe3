"""Background work of everyday work: reminders each minute, digests in the morning, old forms forgotten."""

import datetime as dt
from typing import Any

from django.utils import timezone

from segmentation_crm.common.jobs import JobRun, register, schedule
from segmentation_crm.common.models import SubmittedForm

from .services import reminders

# So long a form that was sent twice is known, and can be taken back.
KEEP_FORMS_DAYS = 30


@register("tasks.remind", title="Reminders of tasks")
def remind(run: JobRun) -> dict[str, Any]:
    """Notify whoever asked to be reminded of a task by now."""

    def progress() -> None:
        run.commit_chunk(done=run.job.done_units + 1, unit="tasks")

    return {"reminded": reminders.remind_all(run.check_cancelled, progress)}


@register("tasks.digest", title="My day by e-mail")
def digest(run: JobRun) -> dict[str, Any]:
    """Write the morning's digests."""
    return {"digests": reminders.send_digests(check=run.check_cancelled)}


@register("forms.forget", title="Forms sent long ago")
def forget_forms(run: JobRun) -> dict[str, Any]:
    """Forget forms that were sent long ago."""
    before = timezone.now() - dt.timedelta(days=KEEP_FORMS_DAYS)
    return {"forgotten": SubmittedForm.objects.filter(created_at__lt=before).delete()[0]}


schedule("tasks.remind", every=60, only_if=reminders.reminders_due)
schedule("tasks.digest", every=900, only_if=reminders.digests_due)
schedule("forms.forget", daily="03:40")
