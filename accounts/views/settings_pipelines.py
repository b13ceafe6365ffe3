"""Settings of pipelines and their stages: add, change, order, merge, delete."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from segmentation_crm.common.settings_area import carry_out, cell, settings_page, settings_view

from ..choices import CatalogueKind
from ..forms.settings import MergeForm
from ..forms.settings_process import PipelineForm, StageForm
from ..models import Pipeline, Stage
from ..queries import pipelines_visible_to, stages_visible_to
from ..services.catalogue import add_entry, delete_entry, make_default, merge_entries, order_stages, rename_entry
from ..services.uses import uses_of
from .settings_vocabularies import merge_context

CAPABILITY = "vocabularies.write"


@settings_view(CAPABILITY)
@require_GET
def pipeline_list(request: HttpRequest) -> HttpResponse:
    """List the pipelines (1 query)."""
    pipelines = pipelines_visible_to(request.user).annotate(steps=Count("stages", filter=Q(stages__is_active=True)))
    context = {
        "title": "Pipelines and stages",
        "intro": "The steps of a deal. A business that sells in two ways keeps two pipelines.",
        "new_url": reverse("accounts:settings_pipeline_new"),
        "new_label": "New pipeline",
        "search": None,
        "heads": ["Pipeline", "Stages", "Stale after", "Default"],
        "rows": [
            [
                cell(pipeline.name, url=reverse("accounts:settings_pipeline", args=[pipeline.pk])),
                cell(pipeline.steps, "number", label="Stages"),
                cell(f"{pipeline.stale_after_days} days", label="Stale after"),
                cell("Default" if pipeline.is_default else "", "badge", label="Default"),
            ]
            for pipeline in pipelines.order_by("position", "name")
        ],
        "empty_icon": "arrows-sort",
        "empty_title": "No pipelines",
        "empty_text": "Add one, then its stages.",
    }
    return settings_page(request, "settings/list.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def pipeline_new(request: HttpRequest) -> HttpResponse:
    """Add a pipeline; its stages come next."""
    form = PipelineForm(request.POST or None)
    made: list[Pipeline] = []

    def add() -> None:
        data = form.cleaned_data
        pipeline = add_entry(CatalogueKind.PIPELINE, data["name"], stale_after_days=data["stale_after_days"])
        made.append(make_default(pipeline) if data["is_default"] else pipeline)

    if request.method == "POST" and form.is_valid() and carry_out(form, add):
        messages.success(request, f"“{made[0].name}” is added. Now its stages.")
        return redirect("accounts:settings_pipeline", made[0].pk)
    context = {
        "title": "New pipeline",
        "form": form,
        "back_url": reverse("accounts:settings_pipelines"),
        "back_label": "Pipelines",
        "submit_label": "Add",
    }
    return settings_page(request, "settings/form.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def pipeline(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a pipeline with its stages in order; change its name, default and days (3 queries)."""
    found = get_object_or_404(pipelines_visible_to(request.user), pk=pk)
    title = found.name
    form = PipelineForm(request.POST or None, pipeline=found)

    def save() -> None:
        data = form.cleaned_data
        found.stale_after_days = data["stale_after_days"]
        found.save()
        if data["is_default"] and not found.is_default:
            make_default(found)
        if data["name"] != found.name:
            rename_entry(CatalogueKind.PIPELINE, found, data["name"])

    if request.method == "POST" and form.is_valid() and carry_out(form, save):
        messages.success(request, f"“{found.name}” is saved.")
        return redirect("accounts:settings_pipeline", pk)
    context = {
        "title": title,
        "pipeline": found,
        "stages": list(stages_visible_to(request.user).filter(pipeline=pk).order_by("position", "name")),
        "form": form,
        "back_url": reverse("accounts:settings_pipelines"),
        "back_label": "Pipelines",
    }
    return settings_page(request, "settings/pipeline.html", context)


@require_POST
@settings_view(CAPABILITY)
def stage_order(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the stages into an order: `order` lists ids (by drag), `move` is "<id>:up" or "<id>:down" (by button)."""
    found = get_object_or_404(pipelines_visible_to(request.user), pk=pk)
    ids = list(found.stages.order_by("position", "name").values_list("pk", flat=True))
    try:
        wanted = _moved(ids, request.POST["move"]) if "move" in request.POST else _ids(request.POST.get("order", ""))
        order_stages(found, wanted)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
    else:
        messages.success(request, "The new order is saved.")
    return redirect("accounts:settings_pipeline", pk)


def _ids(text: str) -> list[int]:
    parts = text.split(",")[:500]
    if not all(part.isascii() and part.isdecimal() and len(part) < 19 for part in parts):
        raise ValidationError("The order could not be read: load the page again.")
    return [int(part) for part in parts]


def _moved(ids: list[int], move: str) -> list[int]:
    text, _, direction = move.partition(":")
    if not text.isdecimal() or len(text) > 18 or int(text) not in ids or direction not in ("up", "down"):
        raise ValidationError("The stages changed meanwhile: load the page again.")
    at = ids.index(int(text))
    to = max(0, at - 1) if direction == "up" else min(len(ids) - 1, at + 1)
    ids.insert(to, ids.pop(at))
    return ids


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def pipeline_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a pipeline without stages and deals; say what it has otherwise."""
    found = get_object_or_404(pipelines_visible_to(request.user), pk=pk)
    back = reverse("accounts:settings_pipeline", args=[pk])
    context = {
        "title": f"Delete “{found.name}”",
        "advice": "Merge or delete its stages first: deals go with their stage.",
        "text": f"“{found.name}” has no stages and no deals. It is deleted for good.",
    }
    return _delete(request, CatalogueKind.PIPELINE, found, back, reverse("accounts:settings_pipelines"), context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def stage_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Add a stage at the end of a pipeline."""
    found = get_object_or_404(pipelines_visible_to(request.user), pk=pk)
    form = StageForm(request.POST or None)

    def add() -> None:
        add_entry(CatalogueKind.STAGE, form.cleaned_data["name"], pipeline=found, **form.values())

    if request.method == "POST" and form.is_valid() and carry_out(form, add):
        messages.success(request, f"“{form.cleaned_data['name']}” is added at the end; drag it to its place.")
        return redirect("accounts:settings_pipeline", pk)
    context = {
        "title": "New stage",
        "form": form,
        "back_url": reverse("accounts:settings_pipeline", args=[pk]),
        "back_label": found.name,
        "submit_label": "Add",
    }
    return settings_page(request, "settings/form.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def stage_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a stage; deals in it keep their own probability and dates."""
    stage = get_object_or_404(stages_visible_to(request.user).select_related("pipeline"), pk=pk)
    title = stage.name
    form = StageForm(request.POST or None, stage=stage)

    def save() -> None:
        values = form.values()
        if (values["is_won"], values["is_lost"]) != (stage.is_won, stage.is_lost):
            deals = stage.opportunities.count()
            if deals:
                raise ValidationError({"outcome": f"{deals:,} deals are in this stage: merge or move them first."})
        for name, value in values.items():
            setattr(stage, name, value)
        stage.save()
        if form.cleaned_data["name"] != stage.name:
            rename_entry(CatalogueKind.STAGE, stage, form.cleaned_data["name"])

    if request.method == "POST" and form.is_valid() and carry_out(form, save):
        messages.success(request, f"“{stage.name}” is saved.")
        return redirect("accounts:settings_pipeline", stage.pipeline_id)
    context = {
        "title": title,
        "intro": f"Stage of {stage.pipeline.name}",
        "form": form,
        "back_url": reverse("accounts:settings_pipeline", args=[stage.pipeline_id]),
        "back_label": stage.pipeline.name,
        "acts": [
            {"url": reverse("accounts:settings_stage_merge", args=[pk]), "label": "Merge into another"},
            {"url": reverse("accounts:settings_stage_delete", args=[pk]), "label": "Delete"},
        ],
    }
    return settings_page(request, "settings/form.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def stage_merge(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask into which stage of the pipeline this one goes, show what that touches, then merge."""
    stage = get_object_or_404(stages_visible_to(request.user), pk=pk)
    others = Stage.objects.filter(pipeline=stage.pipeline_id).exclude(pk=pk).order_by("position")
    form = MergeForm(request.POST or request.GET or None, rows=others, kind="")
    into = form.cleaned_data["into"] if form.is_bound and form.is_valid() else None
    if request.method == "POST" and into is not None:
        moved: list[int] = []
        if carry_out(form, lambda: moved.append(merge_entries(CatalogueKind.STAGE, stage, into, request.user))):
            messages.success(request, f"“{stage.name}” is now “{into.name}”; {moved[0]:,} references moved.")
            return redirect("accounts:settings_pipeline", into.pipeline_id)
    context = merge_context(stage, into, form, reverse("accounts:settings_stage", args=[pk]))
    return settings_page(request, "settings/merge.html", context)


@settings_view(CAPABILITY)
@require_http_methods(["GET", "POST"])
def stage_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a stage without deals; say how many there are otherwise, with the way to them."""
    stage = get_object_or_404(stages_visible_to(request.user), pk=pk)
    back = reverse("accounts:settings_stage", args=[pk])
    context = {
        "title": f"Delete “{stage.name}”",
        "advice": "Merge it into another stage: its deals and their history move along. Or switch off “In use”.",
        "text": f"No deal is in “{stage.name}”. It is deleted for good.",
        "other_acts": [{"url": reverse("accounts:settings_stage_merge", args=[pk]), "label": "Merge into another"}],
    }
    done = reverse("accounts:settings_pipeline", args=[stage.pipeline_id])
    return _delete(request, CatalogueKind.STAGE, stage, back, done, context)


def _delete(
    request: HttpRequest, kind: CatalogueKind, entry: Any, back: str, done: str, context: dict[str, Any]
) -> HttpResponse:
    uses = uses_of(entry)
    if request.method == "POST" and not uses:
        try:
            with transaction.atomic():
                delete_entry(kind, entry)
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(back)
        messages.success(request, f"“{entry.name}” is deleted.")
        return redirect(done)
    shown = {"name": entry.name, "uses": uses, "back_url": back, "back_label": entry.name, **context}
    return settings_page(request, "settings/remove.html", shown)
