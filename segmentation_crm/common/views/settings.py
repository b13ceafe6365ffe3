"""The settings area: its home, the organisation, teams, roles, everyone's tokens."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from ..access import CAPABILITIES, CAPABILITY_WORDS, SIGHT_WORDS
from ..forms_settings import OrganisationForm, TeamForm
from ..models import ApiToken, Organisation, Role, Team
from ..paging import keyset_page
from ..services import teams, tokens
from ..services.organisation import change_organisation
from ..settings_area import carry_out, cell, pages_of, settings_page, settings_view


@login_required
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Show the area's pages by group, those that ?q= finds (0 queries)."""
    if not pages_of(request.user):
        raise PermissionDenied("Your role does not keep settings. An administrator can.")
    text = request.GET.get("q", "")[:100]
    context = {"found_groups": pages_of(request.user, text), "search_text": text}
    return settings_page(request, "settings/home.html", context)


@settings_view("settings.write")
@require_http_methods(["GET", "POST"])
def organisation(request: HttpRequest) -> HttpResponse:
    """Show and change the organisation's settings (1 query; more on a change)."""
    form = OrganisationForm(request.POST or None, instance=Organisation.current())
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"]
        jobs: list[Any] = []
        if carry_out(
            form, lambda: jobs.extend(change_organisation(form.values(), actor=request.user, version=version)[1])
        ):
            say_saved(request, "The settings are saved.", jobs)
            return redirect("settings_organisation")
        if form.non_field_errors():
            # What was typed stays; the next save is over the version that is there now.
            typed: Any = form.data
            form.data = {**typed.dict(), "version": str(Organisation.current().version)}
    context = {
        "title": "Organisation",
        "intro": "What every page, report and rule goes by.",
        "form": form,
    }
    return settings_page(request, "settings/form.html", context)


def say_saved(request: HttpRequest, words: str, jobs: list[Any]) -> None:
    """Tell that something is saved, with the way to the jobs that follow from it."""
    if not jobs:
        messages.success(request, words)
        return
    links = format_html(
        '{} <a href="{}">{}</a> runs in the background.',
        words,
        reverse("jobs:detail", args=[jobs[0].public_id]),
        jobs[0],
    )
    messages.success(request, links)


@settings_view("users.write")
@require_GET
def team_list(request: HttpRequest) -> HttpResponse:
    """List the teams with their sizes (1 query)."""
    search = request.GET.get("q", "")[:100]
    rows = Team.objects.annotate(
        people=Count("members", distinct=True), areas=Count("territories", distinct=True)
    ).order_by("name", "pk")
    if search:
        rows = rows.filter(name__icontains=search)
    page = keyset_page(request, rows)
    context = {
        "title": "Teams",
        "intro": "A sales manager sees what every member of the team sees.",
        "new_url": reverse("settings_team_new"),
        "new_label": "New team",
        "search": search,
        "search_label": "Name of a team",
        "heads": ["Team", "Members", "Territories"],
        "rows": [
            [
                cell(team.name, url=reverse("settings_team", args=[team.pk])),
                cell(team.people, "number", label="Members"),
                cell(team.areas, "number", label="Territories"),
            ]
            for team in page.rows
        ],
        "page": page,
        "unit": "team",
        "units": "teams",
        "empty_icon": "briefcase",
        "empty_title": "No teams yet",
        "empty_text": "Put reps and their manager into one team: the manager then sees their records.",
    }
    return settings_page(request, "settings/list.html", context)


@settings_view("users.write")
@require_http_methods(["GET", "POST"])
def team_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Create or edit a team and its members."""
    team = get_object_or_404(Team, pk=pk) if pk is not None else Team()
    form = TeamForm(request.POST or None, instance=team)

    def save() -> None:
        teams.set_members(form.save(), form.cleaned_data["members"])

    if request.method == "POST" and form.is_valid() and carry_out(form, save):
        messages.success(request, f"{form.instance.name} is saved.")
        return redirect("settings_teams")
    acts = [{"url": reverse("settings_team_delete", args=[pk]), "label": "Delete"}] if pk else []
    name = Team.objects.filter(pk=pk).values_list("name", flat=True).first() if pk else "New team"
    context = {
        "title": name,
        "form": form,
        "back_url": reverse("settings_teams"),
        "back_label": "Teams",
        "acts": acts,
    }
    return settings_page(request, "settings/form.html", context)


@settings_view("users.write")
@require_http_methods(["GET", "POST"])
def team_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a team that has nobody and no territory; say what it has otherwise."""
    team = get_object_or_404(Team, pk=pk)
    members, areas = list(team.members.order_by("username")), list(team.territories.order_by("name"))
    if request.method == "POST" and not members and not areas:
        teams.delete_team(team)
        messages.success(request, f"{team} is deleted.")
        return redirect("settings_teams")
    uses = [{"label": person.display_name, "url": reverse("user_edit", args=[person.pk])} for person in members]
    context = {
        "title": f"Delete {team}",
        "name": team.name,
        "uses": uses + [{"label": f"Territory {area}", "url": ""} for area in areas],
        "advice": "Give its people another team and its territories to others first.",
        "text": f"The team {team} has no members and no territories. It will be gone; nobody's records change.",
        "back_url": reverse("settings_teams"),
        "back_label": "Teams",
    }
    return settings_page(request, "settings/remove.html", context)


@settings_view("users.write")
@require_GET
def roles(request: HttpRequest) -> HttpResponse:
    """Show what each role may do, read from the one policy (0 queries)."""
    matrix = [
        {"words": CAPABILITY_WORDS[name], "name": name, "held": [role in holders for role in Role.values]}
        for name, holders in CAPABILITIES.items()
    ]
    context = {
        "roles": [{"label": label, "sees": SIGHT_WORDS[Role(role)]} for role, label in Role.choices],
        "matrix": matrix,
    }
    return settings_page(request, "settings/roles.html", context)


@settings_view("users.write")
@require_GET
def token_list(request: HttpRequest) -> HttpResponse:
    """List everyone's API tokens, the newest first (1 query)."""
    search = request.GET.get("q", "")[:100]
    rows = ApiToken.objects.select_related("user").order_by("-created", "pk")
    if search:
        rows = rows.filter(name__icontains=search) | rows.filter(user__username__icontains=search)
    page = keyset_page(request, rows)
    context = {"page": page, "search": search}
    return settings_page(request, "settings/tokens.html", context)


@require_POST
@settings_view("users.write")
def token_end(request: HttpRequest, token_key: str) -> HttpResponse:
    """Revoke anybody's token at once."""
    token = get_object_or_404(ApiToken.objects.select_related("user"), token_key=token_key)
    tokens.revoke_token(token, request.user)
    messages.success(request, f"Token “{token.name}” of {token.user.display_name} is revoked from now on.")
    return redirect("settings_tokens")
