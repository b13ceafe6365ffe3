"""Background work of the history of segments."""

from typing import Any

from django.db import transaction

from segmentation_crm.common.jobs import JobRun, register, schedule

from .history import keep_states
from .models import Segment

# After the nightly comparison of members with rules, before people come.
KEEP_AT = "03:40"


@register("segments.keep_states", queue="bulk", title="Past members kept at hand")
def keep_all_states(run: JobRun) -> dict[str, Any]:
    """Keep states of every segment where its runs have grown heavy, one segment a transaction."""
    done, made = int(run.checkpoint.get("after", 0)), int(run.checkpoint.get("made", 0))
    for pk in Segment.objects.filter(pk__gt=done).order_by("pk").values_list("pk", flat=True):
        run.check_cancelled()
        with transaction.atomic():
            made += keep_states(pk)
            run.commit_chunk(checkpoint={"after": pk, "made": made}, unit="segments")
    return {"states": made}


schedule("segments.keep_states", daily=KEEP_AT)
