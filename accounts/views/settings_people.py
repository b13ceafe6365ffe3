"""Settings of territories and role templates."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from segmentation_crm.common.access import Visibility
from segmentation_crm.common.models import Territory
from segmentation_crm.common.paging import keyset_page
from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..fields.places import COUNTRIES
from ..forms.settings_process import RoleLines, RoleTemplateForm, TerritoryForm, initial_lines
from ..models import RoleTemplate, Term
from ..queries import accounts_seen, role_templates_visible_to
from ..services.role_templates import delete_template, save_template

COUNTED = 10_000
NAMES = {choice.value: choice.label for choice in COUNTRIES}


@settings_view("users.write")
@require_GET
def territory_list(request: HttpRequest) -> HttpResponse:
    """List the territories (5 queries)."""
    search = request.GET.get("q", "")[:100].replace("\x00", "")
    rows = Territory.objects.prefetch_related("users", "teams").order_by("name", "pk")
    if search:
        rows = rows.filter(name__icontains=search)
    page = keyset_page(request, rows)
    slugs = {slug for territory in page.rows for slug in territory.region_slugs}
    names = dict(Term.objects.filter(vocabulary="sales_region", slug__in=slugs).values_list("slug", "name"))
    context = {
        "title": "Territories",
        "intro": "Whoever has a territory sees the accounts in it, with their contacts and deals.",
        "new_url": reverse("accounts:settings_territory_new"),
        "new_label": "New territory",
        "search": search,
        "search_label": "Name of a territory",
        "heads": ["Territory", "Where", "People", "Teams"],
        "rows": [
            [
                cell(territory.name, url=reverse("accounts:settings_territory", args=[territory.pk])),
                cell(_where(territory, names), label="Where"),
                cell(", ".join(person.display_name for person in territory.users.all()), label="People"),
                cell(", ".join(team.name for team in territory.teams.all()), label="Teams"),
            ]
            for territory in page.rows
        ],
        "page": page,
        "unit": "territory",
        "units": "territories",
        "empty_icon": "map-pin",
        "empty_title": "No territories yet",
        "empty_text": "A rep sees the accounts they own. A territory adds those of a region or country.",
    }
    return settings_page(request, "settings/list.html", context)


def _where(territory: Territory, names: dict[str, str]) -> str:
    places = [names.get(slug, slug) for slug in territory.region_slugs]
    places += [NAMES.get(code, code) for code in territory.countries]
    more = f" and {len(places) - 6} more" if len(places) > 6 else ""
    return ", ".join(places[:6]) + more


@settings_view("users.write")
@require_http_methods(["GET", "POST"])
def territory_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a territory; says how many accounts lie in it, before it is saved where asked to."""
    territory = get_object_or_404(Territory, pk=pk) if pk is not None else Territory()
    title = territory.name or "New territory"
    counted = accounts_in(territory.region_slugs, territory.countries) if pk else None
    form = TerritoryForm(request.POST or None, instance=territory)
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            regions = [term.slug for term in form.cleaned_data["regions"]]
            counted = accounts_in(regions, form.cleaned_data["countries"])
        elif carry_out(form, form.save):
            messages.success(request, f"“{form.instance.name}” is saved.")
            return redirect("accounts:settings_territories")
    delete_url = reverse("accounts:settings_territory_delete", args=[pk]) if pk else ""
    context = {
        "title": title,
        "form": form,
        "counted": counted,
        "capped": COUNTED,
        "back_url": reverse("accounts:settings_territories"),
        "back_label": "Territories",
        "acts": [{"url": delete_url, "label": "Delete"}] if pk else [],
    }
    return settings_page(request, "settings/territory.html", context)


def accounts_in(region_slugs: list[str], countries: list[str]) -> int:
    """Return how many live accounts lie in the regions and countries, at most 10,000 (2 queries)."""
    if not region_slugs and not countries:
        return 0
    seen = Visibility(countries=frozenset(countries), region_slugs=frozenset(region_slugs))
    return accounts_seen(seen).order_by()[:COUNTED].count()


@settings_view("users.write")
@require_http_methods(["GET", "POST"])
def territory_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a territory: who had it no longer sees its accounts by it."""
    territory = get_object_or_404(Territory, pk=pk)
    if request.method == "POST":
        territory.delete()
        messages.success(request, f"“{territory.name}” is deleted.")
        return redirect("accounts:settings_territories")
    people, teams = territory.users.count(), territory.teams.count()
    context = {
        "title": f"Delete “{territory.name}”",
        "name": territory.name,
        "uses": [],
        "text": f"{people} people and {teams} teams have this territory and will no longer see accounts by it. The "
        "accounts do not change.",
        "back_url": reverse("accounts:settings_territory", args=[pk]),
        "back_label": territory.name,
    }
    return settings_page(request, "settings/remove.html", context)


@settings_view("vocabularies.write")
@require_GET
def template_list(request: HttpRequest) -> HttpResponse:
    """List the role templates (1 query)."""
    templates = role_templates_visible_to(request.user).select_related("pipeline").annotate(lines=Count("roles"))
    context = {
        "title": "Role templates",
        "intro": "Which roles a buying committee needs; committee completeness is measured against it.",
        "new_url": reverse("accounts:settings_role_template_new"),
        "new_label": "New template",
        "search": None,
        "heads": ["Template", "Pipeline", "Lines", "Default"],
        "rows": [
            [
                cell(template.name, url=reverse("accounts:settings_role_template", args=[template.pk])),
                cell(str(template.pipeline or "All"), label="Pipeline"),
                cell(template.lines, "number", label="Lines"),
                cell("Default" if template.is_default else "", "badge", label="Default"),
            ]
            for template in templates.order_by("-is_default", "name")
        ],
        "empty_icon": "users",
        "empty_title": "No role templates",
        "empty_text": "Say which roles take part when a company buys from you.",
    }
    return settings_page(request, "settings/list.html", context)


@settings_view("vocabularies.write")
@require_http_methods(["GET", "POST"])
def template_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Add or change a role template with its lines."""
    template = get_object_or_404(role_templates_visible_to(request.user), pk=pk) if pk is not None else RoleTemplate()
    title = template.name or "New template"
    form = RoleTemplateForm(request.POST or None, instance=template)
    lines = RoleLines(request.POST or None, initial=initial_lines(template) if pk else None, prefix="lines")
    if request.method == "POST" and form.is_valid() & lines.is_valid():
        wanted = [line for line in (one.line() for one in lines.forms) if line is not None]

        def save() -> None:
            save_template(form.instance, wanted, form.cleaned_data["is_default"])

        if carry_out(form, save):
            messages.success(request, f"“{form.instance.name}” is saved.")
            return redirect("accounts:settings_role_templates")
    delete_url = reverse("accounts:settings_role_template_delete", args=[pk]) if pk else ""
    context: dict[str, Any] = {
        "title": title,
        "form": form,
        "lines": lines,
        "back_url": reverse("accounts:settings_role_templates"),
        "back_label": "Role templates",
        "acts": [{"url": delete_url, "label": "Delete"}] if pk else [],
    }
    return settings_page(request, "settings/role_template.html", context)


@settings_view("vocabularies.write")
@require_http_methods(["GET", "POST"])
def template_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a role template that is not the default."""
    template = get_object_or_404(role_templates_visible_to(request.user), pk=pk)
    if request.method == "POST":
        try:
            with transaction.atomic():
                delete_template(template)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect("accounts:settings_role_template", pk)
        messages.success(request, f"“{template.name}” is deleted.")
        return redirect("accounts:settings_role_templates")
    context = {
        "title": f"Delete “{template.name}”",
        "name": template.name,
        "uses": [{"label": "It is the default template", "url": ""}] if template.is_default else [],
        "advice": "Make another template the default first.",
        "text": f"“{template.name}” is deleted with its lines. Committees are measured against the default then.",
        "back_url": reverse("accounts:settings_role_template", args=[pk]),
        "back_label": template.name,
    }
    return settings_page(request, "settings/remove.html", context)
