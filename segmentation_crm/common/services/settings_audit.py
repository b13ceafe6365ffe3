"""Every change of a settings row leaves an audit entry: from pages, admin and API alike, by the saving signals.

What the product itself puts in (defaults, demo data, a file's new words) has nobody who acts and leaves none. Writers
that go around the signals (`update`, `bulk_update`) call `record_changes` themselves.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model
from django.db.models.signals import m2m_changed, post_save, pre_delete, pre_save

from ..acting import acting
from . import audit

Changes = list[dict[str, Any]]
_MAX_TEXT = 500
# What changes by itself; passwords have an entry of their own.
_SILENT = frozenset(
    {"id", "password", "version", "created_at", "updated_at", "last_login", "date_joined", "path", "is_open"}
)
_BEFORE = "_settings_before"


@dataclass(frozen=True)
class Watched:
    """A model of settings. noun: how actions call it ("stage"). skip: columns that are no setting.

    made_by_product: its row comes into being by itself; only changes are told.
    """

    model: type[Model]
    noun: str
    skip: frozenset[str] = frozenset()
    made_by_product: bool = False


_watched: dict[type[Model], Watched] = {}


def watch(model: type[Model], noun: str = "", skip: tuple[str, ...] = (), made_by_product: bool = False) -> None:
    """Audit every change of the model's rows from now on; called in `AppConfig.ready()`."""
    name = noun or str(model._meta.verbose_name).replace(" ", "_")
    _watched[model] = Watched(model, name, frozenset(skip), made_by_product)
    uid = f"settings_audit.{model._meta.label_lower}"
    pre_save.connect(_remember, sender=model, dispatch_uid=f"{uid}.before")
    post_save.connect(_saved, sender=model, dispatch_uid=f"{uid}.after")
    pre_delete.connect(_deleted, sender=model, dispatch_uid=f"{uid}.deleted")
    for field in model._meta.many_to_many:
        m2m_changed.connect(_linked, sender=getattr(model, field.name).through, dispatch_uid=f"{uid}.{field.name}")


def watched_models() -> frozenset[type[Model]]:
    """Return the models whose changes are audited (0 queries)."""
    return frozenset(_watched)


def record_changes(target: Model, changes: Changes, action: str = "") -> None:
    """Append the entry of a change that no signal tells (1 query; none where nobody acts or nothing changed)."""
    if changes and _is_told():
        noun = _watched[type(target)].noun if type(target) in _watched else str(target._meta.model_name)
        audit.record(acting().user, action or f"{noun}.changed", target, via=acting().via, changes=changes)


def _is_told() -> bool:
    now = acting()
    return now.user is not None and now.via != "import"


def _remember(sender: type[Model], instance: Any, raw: bool = False, **kwargs: Any) -> None:
    setattr(instance, _BEFORE, None)
    if raw or not _is_told() or instance._state.adding or instance.pk is None:
        return
    setattr(instance, _BEFORE, sender._base_manager.filter(pk=instance.pk).values().first())


def _saved(sender: type[Model], instance: Any, created: bool, raw: bool = False, **kwargs: Any) -> None:
    watched = _watched[sender]
    if raw or not _is_told() or (created and watched.made_by_product):
        return
    before = getattr(instance, _BEFORE, None) or {}
    written = kwargs.get("update_fields")
    changes = []
    for field in sender._meta.concrete_fields:
        name = field.name
        if name in _SILENT or name in watched.skip or name.endswith("_folded") or getattr(field, "generated", False):
            continue
        if not created and written is not None and name not in written and field.attname not in written:
            continue
        old, new = before.get(field.attname), getattr(instance, field.attname)
        if created and new in (None, "", [], {}):
            continue
        if created or plain(old) != plain(new):
            changes.append(_change(field, old, new, created))
    if created or changes:
        noun = f"{watched.noun}.{'created' if created else 'changed'}"
        extra = {"role": instance.role} if watched.noun == "user" else {}
        audit.record(acting().user, noun, instance, via=acting().via, changes=changes, **extra)


def _change(field: Any, old: Any, new: Any, created: bool) -> dict[str, Any]:
    if field.many_to_one:
        return {"field": field.name, "old": _name_of(field, old), "new": _name_of(field, new)}
    return {"field": field.name, "old": None if created else plain(old), "new": plain(new)}


def _name_of(field: Any, pk: Any) -> str:
    if pk is None:
        return ""
    row = field.related_model._base_manager.filter(pk=pk).first()
    return str(row) if row is not None else f"#{pk}"


def plain(value: Any) -> Any:
    """Return the value as JSON keeps it: figures without trailing zeros, long texts cut."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, list | dict):
        return value if len(str(value)) <= 4 * _MAX_TEXT else f"{str(value)[: 4 * _MAX_TEXT]} …"
    text = format(value.normalize(), "f") if hasattr(value, "normalize") else str(value)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]} …"


def _deleted(sender: type[Model], instance: Any, **kwargs: Any) -> None:
    if not _is_told():
        return
    watched = _watched[sender]
    kept = [
        {"field": field.name, "old": plain(getattr(instance, field.attname)), "new": None}
        for field in sender._meta.concrete_fields
        if field.name not in _SILENT | watched.skip
        and not field.name.endswith("_folded")
        and getattr(instance, field.attname) not in (None, "", [], {})
    ]
    audit.record(acting().user, f"{watched.noun}.deleted", instance, via=acting().via, changes=kept)


def _linked(sender: Any, instance: Any, action: str, model: Any, pk_set: Any, reverse: bool, **kwargs: Any) -> None:
    if action not in ("post_add", "post_remove", "pre_clear") or not _is_told():
        return
    rows: Any
    if action == "pre_clear":
        rows = model._base_manager.filter(
            pk__in=sender.objects.filter(**_own(sender, instance)).values(_other(sender, instance))
        )
    else:
        rows = model._base_manager.filter(pk__in=pk_set or [])
    names = sorted(str(row) for row in rows)
    if not names:
        return
    text = ", ".join(names)[:_MAX_TEXT]
    field = str(model._meta.verbose_name_plural)
    added = action == "post_add"
    noun = _watched[type(instance)].noun if type(instance) in _watched else str(instance._meta.model_name)
    change = {"field": field, "old": "" if added else text, "new": text if added else ""}
    audit.record(acting().user, f"{noun}.changed", instance, via=acting().via, changes=[change])


def _own(through: Any, instance: Any) -> dict[str, Any]:
    field = next(f for f in through._meta.fields if f.many_to_one and isinstance(instance, f.related_model))
    return {field.name: instance.pk}


def _other(through: Any, instance: Any) -> str:
    field = next(f for f in through._meta.fields if f.many_to_one and not isinstance(instance, f.related_model))
    return str(field.attname)
