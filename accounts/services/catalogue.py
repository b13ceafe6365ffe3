"""Catalogues (products, vendors, technologies, pipelines, stages, personas, campaigns): add, rename, merge.

As with vocabularies the slug never changes and earlier names stay as aliases.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.extensions import after_vocabulary_change, tell
from segmentation_crm.common.folding import fold
from segmentation_crm.common.services import audit, settings_audit

from ..choices import CatalogueKind
from ..models import CatalogueAlias, FieldHistory, Pipeline, Stage
from ..queries import CATALOGUE_MODELS
from .normalisation import tidy
from .references import free_slug, repoint
from .uses import refuse_used


@transaction.atomic
def add_entry(kind: str, name: str, **values: Any) -> Any:
    """Add a product, vendor, technology, pipeline, stage (with pipeline=…), persona or campaign.

    A stage goes to the end of its pipeline; named Won or Lost (Closed Won, Closed Lost) it gets that flag.
    Raises ValidationError for an empty or taken name.
    """
    model = CATALOGUE_MODELS[kind]
    name = tidy(name)
    _check_entry_name(kind, name, None, values.get("pipeline"))
    if kind == CatalogueKind.STAGE:
        word = fold(name).replace("-", " ").replace("/", " ").removeprefix("closed ")
        values.setdefault("is_won", word == "won")
        values.setdefault("is_lost", word == "lost")
        last = Stage.objects.filter(pipeline=values["pipeline"]).aggregate(last=models.Max("position"))["last"]
        values.setdefault("position", (last or 0) + 1)
    entry = model(name=name, slug=values.pop("slug", "") or free_slug(model._default_manager, name), **values)
    entry.full_clean()
    entry.save()
    return entry


@transaction.atomic
def rename_entry(kind: str, entry: Any, name: str) -> Any:
    """Give a catalogue entry another name; the old one stays as an alias, the slug as it is."""
    name = tidy(name)
    scope = _scope(kind, entry)
    _check_entry_name(kind, name, entry.pk, getattr(entry, "pipeline", None))
    CatalogueAlias.objects.filter(kind=kind, scope=scope, text_folded=fold(name)).delete()
    old, entry.name = entry.name, name
    entry.save()
    if fold(old) != fold(name):
        _add_entry_aliases(kind, entry, [old])
    tell(after_vocabulary_change)
    return entry


@transaction.atomic
def merge_entries(kind: str, gone: Any, into: Any, actor: AnyUser | None = None) -> int:
    """Merge one catalogue entry into another; returns how many references moved. Audited.

    History that names a merged stage by its slug gets the other's. A pipeline's stages move along.
    Raises ValidationError where one is merged into itself, or an open stage into a closed one.
    """
    if gone.pk == into.pk:
        raise ValidationError({"into": "Choose another entry: it cannot be merged into itself."})
    if kind == CatalogueKind.STAGE:
        if (gone.is_won, gone.is_lost) != (into.is_won, into.is_lost):
            raise ValidationError({"into": "Both stages must be open, both won, or both lost."})
        FieldHistory.objects.filter(record_type="opportunity", field="stage", value=gone.slug).update(value=into.slug)
    if kind == CatalogueKind.PIPELINE:
        _merge_stages(gone, into, actor)
    moved = repoint(gone, into)
    CatalogueAlias.objects.filter(kind=kind, record_id=gone.pk).update(record_id=into.pk)
    name, slug = gone.name, gone.slug
    gone.delete()
    _add_entry_aliases(kind, into, [name, slug])
    audit.record(actor, f"{kind}.merged", into, gone=name, references=moved)
    tell(after_vocabulary_change)
    return moved


def _merge_stages(gone: Any, into: Any, actor: AnyUser | None) -> None:
    """Merge the stages of the same name first; the others move with their pipeline."""
    known = {stage.name_folded: stage for stage in into.stages.all()}
    for stage in gone.stages.all():
        same = known.get(stage.name_folded)
        if same is not None:
            merge_entries(CatalogueKind.STAGE, stage, same, actor)
    CatalogueAlias.objects.filter(kind=CatalogueKind.STAGE, scope=gone.pk).exclude(
        text_folded__in=CatalogueAlias.objects.filter(kind=CatalogueKind.STAGE, scope=into.pk).values("text_folded")
    ).update(scope=into.pk)
    if gone.is_default:
        type(gone).objects.filter(pk=gone.pk).update(is_default=False)
        type(into).objects.filter(pk=into.pk).update(is_default=True)


def _scope(kind: str, entry: Any) -> int:
    return entry.pipeline_id if kind == CatalogueKind.STAGE else 0


def _check_entry_name(kind: str, name: str, own: int | None, pipeline: Any) -> None:
    if not name:
        raise ValidationError({"name": "Give it a name."})
    rows = CATALOGUE_MODELS[kind]._default_manager.filter(name_folded=fold(name)).exclude(pk=own)
    if kind == CatalogueKind.STAGE:
        rows = rows.filter(pipeline=pipeline)
    if rows.exists():
        raise ValidationError({"name": f"There is already one named {name!r}; merge the two instead."})


def _add_entry_aliases(kind: str, entry: Any, texts: Iterable[str]) -> None:
    for text in texts:
        folded = fold(text)
        if folded and folded not in (fold(entry.name), entry.slug):
            CatalogueAlias.objects.get_or_create(
                kind=kind,
                scope=_scope(kind, entry),
                text_folded=folded,
                defaults={"record_id": entry.pk, "text": tidy(text)},
            )


@transaction.atomic
def delete_entry(kind: str, entry: Any) -> None:
    """Delete an entry that nothing uses; its aliases go with it.

    Raises ValidationError naming what uses it, or saying why it must stay.
    """
    refuse_used(entry)
    if kind == CatalogueKind.PIPELINE and entry.is_default:
        raise ValidationError("The default pipeline stays: make another the default first.")
    CatalogueAlias.objects.filter(kind=kind, record_id=entry.pk).delete()
    entry.delete()


@transaction.atomic
def make_default(pipeline: Pipeline) -> Pipeline:
    """Let new deals go into this pipeline; the one before is the default no longer (up to 4 queries)."""
    for other in Pipeline.objects.filter(is_default=True).exclude(pk=pipeline.pk):
        other.is_default = False
        other.save()
    pipeline.is_default = True
    pipeline.save()
    return pipeline


@transaction.atomic
def order_stages(pipeline: Pipeline, ids: list[int]) -> None:
    """Put the pipeline's stages into this order; those not named follow as they stood. Audited.

    Raises ValidationError for a stage of another pipeline.
    """
    stages = {stage.pk: stage for stage in pipeline.stages.order_by("position", "name")}
    if set(ids) - set(stages) or len(set(ids)) < len(ids):
        raise ValidationError("The stages changed meanwhile: load the page again.")
    before = [stage.name for stage in stages.values()]
    ordered = [stages[pk] for pk in ids] + [stage for pk, stage in stages.items() if pk not in ids]
    for position, stage in enumerate(ordered, start=1):
        stage.position = position * 10
    Stage.objects.bulk_update(ordered, ["position"])
    after = [stage.name for stage in ordered]
    if after != before:
        change = {"field": "order of stages", "old": ", ".join(before), "new": ", ".join(after)}
        settings_audit.record_changes(pipeline, [change])
