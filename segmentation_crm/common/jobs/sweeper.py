"""Ringing again: for what is due and was not claimed, and for what its worker left behind."""

from django.db.models import Q
from django.db.models.functions import Now

from ..models import Job, JobState
from . import claims
from .bell import ring_quietly
from .clock import later

# A bell older than this counts as lost.
BELL_LOST_SECONDS = 25
# Oldest first; what does not fit has its turn at the next sweep.
MOST_AT_ONCE = 500


def sweep() -> int:
    """Ring for due jobs whose bell was lost and for ended leases (3 queries and one a bell); return how many."""
    claims.release_dead_leases()
    unheard = Q(rung_at=None) | Q(rung_at__lt=later(-BELL_LOST_SECONDS)) | Q(state=JobState.RUNNING)
    found = list(Job.objects.filter(claims.due(), unheard).order_by("due_at").values_list("pk", "queue")[:MOST_AT_ONCE])
    rung = []
    for pk, queue in found:
        if not ring_quietly(pk, queue):
            break
        rung.append(pk)
    Job.objects.filter(pk__in=rung).update(rung_at=Now())
    return len(rung)
