"""What refers to a term or catalogue entry: letting it refer to another, and free slugs."""

from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.text import slugify

from ..models import Term, TermAlias


def free_slug(rows: "models.QuerySet[Any]", name: str) -> str:
    """Return a slug made from the name that no row has yet (1 query, one more for each taken)."""
    stem = slugify(name, allow_unicode=True)[:100] or "x"
    slug, number = stem, 1
    while rows.filter(slug=slug).exists():
        number += 1
        slug = f"{stem}-{number}"
    return slug


def repoint(gone: models.Model, into: models.Model) -> int:
    """Let every foreign key (and many-to-many row) to one row point to the other; returns how many moved.

    A row for which the other already has one like it is dropped instead: its unique constraint allows only one.
    """
    moved = 0
    relations: list[Any] = list(type(gone)._meta.get_fields(include_hidden=True))
    for relation in relations:
        if not (relation.auto_created and not relation.concrete and (relation.one_to_many or relation.one_to_one)):
            continue
        model, name = relation.related_model, relation.field.name
        if model._meta.proxy:
            continue
        rows = model._base_manager.filter(**{name: gone.pk})
        for fields, condition in _unique_sets(model, name):
            same = {field: OuterRef(field) for field in fields if field != name}
            twin = model._base_manager.filter(condition, **same, **{name: into.pk})
            rows.filter(Exists(twin)).filter(condition).delete()
        moved += rows.update(**{name: into.pk})
    return moved


def _unique_sets(model: type[models.Model], name: str) -> list[tuple[tuple[str, ...], Q]]:
    found = [
        (tuple(constraint.fields), constraint.condition or Q())
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and name in constraint.fields
    ]
    found += [(tuple(fields), Q()) for fields in model._meta.unique_together if name in fields]
    return found


def is_used(term: Term) -> bool:
    """Tell whether any row refers to the term (1 query a table until one is found)."""
    relations: list[Any] = list(Term._meta.get_fields(include_hidden=True))
    for relation in relations:
        if relation.auto_created and not relation.concrete and relation.one_to_many:
            if relation.related_model in (TermAlias,):
                continue
            if relation.related_model._base_manager.filter(**{relation.field.name: term.pk}).exists():
                return True
    return False
