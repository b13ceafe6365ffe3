"""Pages of lists: accounts, contacts, opportunities, activities and tasks."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from segmentation_crm.common import lists
from segmentation_crm.common.access import can
from segmentation_crm.common.lists.page import show_list
from segmentation_crm.common.local_time import in_local_time

from .tasks import POSTPONEMENTS


@login_required
@require_GET
def account_list(request: HttpRequest) -> HttpResponse:
    """Show the accounts the user sees."""
    return show_list(request, lists.get("account"), "accounts/account_list.html")


@login_required
@require_GET
def contact_list(request: HttpRequest) -> HttpResponse:
    """Show the contacts the user sees."""
    return show_list(request, lists.get("contact"), "accounts/contact_list.html")


@login_required
@require_GET
def opportunity_list(request: HttpRequest) -> HttpResponse:
    """Show the opportunities the user sees."""
    return show_list(request, lists.get("opportunity"), "accounts/opportunity_list.html")


@login_required
@require_GET
def activity_list(request: HttpRequest) -> HttpResponse:
    """Show the activities the user sees, newest first."""
    return show_list(request, lists.get("activity"), "accounts/activity_list.html")


@login_required
@require_GET
@in_local_time
def task_list(request: HttpRequest) -> HttpResponse:
    """Show the tasks the user sees: at first their own open ones, by when they are due."""
    acts = "accounts/_task_row_acts.html" if can(request.user, "records.write") else ""
    return show_list(
        request,
        lists.get("task"),
        "accounts/task_list.html",
        row_acts=acts,
        postponements=POSTPONEMENTS,
        list_url=request.get_full_path(),
    )
