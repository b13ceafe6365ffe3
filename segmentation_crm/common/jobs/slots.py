"""The clock: each slot of scheduled work starts once, however many schedulers ring."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction

from ..models import Job, Organisation, ScheduleSlot
from .clock import database_now
from .outbox import enqueue
from .registry import Scheduled, scheduled

KEEP_SLOTS_DAYS = 60


def latest_slot(entry: Scheduled, now: datetime, zone: ZoneInfo) -> str:
    """Return the name of the last slot that has begun: only that one is caught up after an outage.

    A daily slot is its local date, so a change of the clocks neither skips nor doubles it.
    """
    if entry.every:
        return str(int(now.timestamp()) // entry.every)
    hour, _, minute = entry.daily.partition(":")
    local = now.astimezone(zone)
    # Compared as moments: a time of day that the clocks skip begins an hour later, one that comes twice, the first.
    begins = datetime.combine(local.date(), time(int(hour), int(minute)), tzinfo=zone)
    day = local.date() if now >= begins.astimezone(UTC) else local.date() - timedelta(days=1)
    return day.isoformat()


def start_due_work() -> list[Job]:
    """Start every scheduled task whose latest slot nobody has taken (1 query a task, more where one starts)."""
    now = database_now()
    zone = ZoneInfo(Organisation.current().time_zone)
    started = []
    for name, entry in scheduled().items():
        job = _take(name, entry, latest_slot(entry, now, zone))
        if job is not None:
            started.append(job)
    ScheduleSlot.objects.filter(created_at__lt=now - timedelta(days=KEEP_SLOTS_DAYS)).delete()
    return started


def _take(name: str, entry: Scheduled, slot: str) -> Job | None:
    """Take the slot and enqueue its job in one transaction; None where it was taken before."""
    if ScheduleSlot.objects.filter(task=name, slot=slot).exists():
        return None
    if entry.only_if is not None and not entry.only_if():
        return None
    try:
        with transaction.atomic():
            ScheduleSlot.objects.create(task=name, slot=slot)
            return enqueue(entry.kind, key=entry.key, payload=entry.payload)
    except IntegrityError:
        return None
