"""Pages of tasks: a form, and the acts on one: done, open again, later, away and back."""

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from segmentation_crm.common.local_time import LocalDay, in_local_time
from segmentation_crm.common.models import SubmittedForm

from ..forms.work import FOLLOW_UP_HOUR, TaskForm
from ..models import Task
from ..queries import tasks_visible_to
from ..services import work
from .pages import demand_write, one
from .quick_log import back_to, me, take_errors

POSTPONEMENTS = (("1", "By a day"), ("3", "By 3 days"), ("7", "By a week"))


def record_of(task: Task) -> Any:
    """Return the record a task is on, None for none; it needs `select_related`."""
    return task.account or task.contact or task.opportunity


def _one(request: HttpRequest, pk: int) -> Task:
    rows = tasks_visible_to(request.user).select_related("account", "contact", "opportunity", "owner")
    return one(rows, pk)


@login_required
@in_local_time
@require_http_methods(["GET", "POST"])
def task_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Show and save the form of a task, a new one without key; `?record=account:12` puts it on a record."""
    demand_write(request)
    task = Task(created_by=me(request)) if pk is None else _one(request, pk)
    record = record_of(task) if pk is not None else None
    named = f"{work.column_of(record)}:{record.pk}" if record is not None else request.GET.get("record", "")[:40]
    form = TaskForm(request.POST or None, instance=task, user=me(request), initial={"record": named})
    if request.method == "POST" and form.is_valid():
        saved = form.save(commit=False)
        if pk is None and form.cleaned_data["record"] is not None:
            setattr(saved, work.column_of(form.cleaned_data["record"]), form.cleaned_data["record"])
        try:
            work.save_task(saved, me(request))
        except ValidationError as error:
            take_errors(form, error)
        else:
            messages.success(request, f"The task “{saved.title}” is saved.")
            if _is_fragment(request):
                return HttpResponse(status=204, headers={"HX-Redirect": back_to(request)})
            return redirect(back_to(request))
    about = record or form.about
    context = {
        "form": form,
        "task": task,
        "about": about,
        "about_url": work.record_url(about) if about is not None and work.may_see(request.user, about) else "",
        "next": back_to(request),
    }
    in_dialog = _is_fragment(request) and pk is not None
    return render(request, "accounts/_task_dialog.html" if in_dialog else "accounts/task_form.html", context)


def _is_fragment(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"


@login_required
@in_local_time
@require_POST
def task_act(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Do something to a task: complete, reopen, postpone or delete; answers the new line to htmx."""
    demand_write(request)
    task = _one(request, pk)
    undo: dict[str, Any] = {}
    try:
        if act == "complete":
            work.complete_task(task, me(request), request.POST.get("outcome", ""))
            words, undo = f"Done: {task.title}", {"act": "reopen", "pk": task.pk}
        elif act == "reopen":
            work.reopen_task(task, me(request))
            words = f"Open again: {task.title}"
        elif act == "postpone":
            words = f"“{task.title}” moved to {_postpone(request, task)}"
        else:
            token = uuid.uuid4()
            kept = {"deleted_task": work.delete_task(task)}
            SubmittedForm.objects.create(user=me(request), token=token, created_at=timezone.now(), result=kept)
            words, undo = f"Deleted: {task.title}", {"token": token}
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        if _is_fragment(request):
            return HttpResponse(status=204, headers={"HX-Redirect": back_to(request)})
        return redirect(back_to(request))
    if _is_fragment(request):
        as_row = request.POST.get("shown_as") == "row"
        context = {"number": pk, "words": words, "undo": undo, "next": back_to(request)}
        return render(request, "accounts/_task_row_done.html" if as_row else "accounts/_task_done.html", context)
    messages.success(request, f"{words}.")
    return redirect(back_to(request))


def _today() -> LocalDay:
    zone: Any = timezone.get_current_timezone()
    return LocalDay.today(zone)


def _postpone(request: HttpRequest, task: Task) -> str:
    """Move a task by days from today, its time of day kept; return the new day in words.

    Raises ValidationError for a number of days that is none.
    """
    days = request.POST.get("days", "1")
    if not (days.isascii() and days.isdigit() and 1 <= int(days[:4]) <= 365):
        raise ValidationError("Postpone by 1 to 365 days.")
    today = _today()
    local = timezone.localtime(task.due_at) if task.due_at else None
    start = max(today.date, local.date()) if local else today.date
    target = LocalDay(today.zone, start + dt.timedelta(days=int(days)))
    due = target.at(local.hour, local.minute) if local else target.at(FOLLOW_UP_HOUR)
    work.postpone_task(task, due, me(request))
    return f"{due:%a %-d %b}"
