"""What the first page shows: where to begin, what closes next, what changed, what needs attention."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.urls import reverse
from django.utils import timezone

from accounts.queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to, tasks_visible_to
from segments.queries import segments_visible_to

from .common.access import can
from .common.jobs import jobs_visible_to
from .common.models import JobState, User

ROWS = 6


@dataclass(frozen=True)
class Step:
    """One of the first things to do, and whether it is done."""

    title: str
    text: str
    url: str
    label: str
    done: bool
    is_next: bool = False


def first_steps(user: User) -> list[Step]:
    """Return the first steps for those who set things up, none once all are done (3 queries)."""
    if not can(user, "records.import"):
        return []
    steps = [
        Step(
            "Bring in your accounts",
            "Upload the file your CRM or spreadsheet exports. Columns are recognised by their names, and nothing is "
            "written before you have seen a preview.",
            reverse("accounts:import_new"),
            "Import accounts",
            accounts_visible_to(user).exists(),
        ),
        Step(
            "Add the people",
            "Contacts are joined to their accounts by the domain of their e-mail address.",
            reverse("accounts:import_new"),
            "Import contacts",
            contacts_visible_to(user).exists(),
        ),
        Step(
            "Build your first segment",
            "Say in conditions who belongs in it, with exact counts while you build.",
            reverse("segments:new"),
            "New segment",
            segments_visible_to(user).exists(),
        ),
    ]
    if all(step.done for step in steps):
        return []
    following = next(step for step in steps if not step.done)
    return [replace(step, is_next=step is following) for step in steps]


def home_context(user: User) -> dict[str, Any]:
    """Return what the first page shows (up to 9 queries, none of them counts)."""
    deals = opportunities_visible_to(user).filter(stage__is_open=True, expected_close__isnull=False)
    tasks = tasks_visible_to(user).filter(owner=user, done_at__isnull=True)
    accounts = list(accounts_visible_to(user).select_related("owner").order_by("-updated_at", "-pk")[:ROWS])
    return {
        "steps": first_steps(user),
        "has_records": bool(accounts),
        "deals": deals.select_related("stage").order_by("expected_close", "pk")[:ROWS],
        "tasks": tasks.order_by("due_at", "pk")[:ROWS],
        "accounts": accounts,
        "segments": segments_visible_to(user).order_by("-updated_at", "-pk")[:ROWS],
        "running": jobs_visible_to(user).filter(state__in=[JobState.QUEUED, JobState.RUNNING])[:ROWS],
        "failed": jobs_visible_to(user).filter(
            state=JobState.FAILED, finished_at__gte=timezone.now() - timedelta(days=7)
        )[:3],
        "now": timezone.now(),
    }
