"""The job that matches contacts without account: nightly, after imports, after the free-mail list changed."""

from typing import Any

from django.db import transaction

from segmentation_crm.common import jobs
from segmentation_crm.common.extensions import after_import, tell

from .services.matching import MATCHING_JOB, match_accounts, unmatched

BATCH = 1000


@jobs.register(MATCHING_JOB, title="Match contacts to accounts")
def match_contacts(run: jobs.JobRun) -> dict[str, Any]:
    """Match every waiting contact, a thousand at a time, from where the last run got to."""
    state = {"after": 0, "matched": 0, "proposed": 0, "seen": 0, **run.checkpoint}
    waiting = unmatched().order_by("pk").values_list("pk", flat=True)
    while ids := list(waiting.filter(pk__gt=state["after"])[:BATCH]):
        run.check_cancelled()
        with transaction.atomic():
            found = match_accounts(ids)
            state = {
                "after": ids[-1],
                "matched": state["matched"] + found["matched"],
                "proposed": state["proposed"] + found["proposed"],
                "seen": state["seen"] + len(ids),
            }
            run.commit_chunk(checkpoint=state, done=state["seen"], unit="contacts")
    if state["matched"]:
        # Whoever reads accounts of contacts (segments) has news; the matching this asks for finds nothing left.
        tell(after_import)
    return {"matched": state["matched"], "proposed": state["proposed"]}


jobs.schedule(MATCHING_JOB, daily="02:05")
