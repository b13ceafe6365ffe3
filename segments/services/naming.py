"""Names and slugs of segments, partitions and splits."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.utils.text import slugify

# Words that stand where a slug would stand in an address.
RESERVED_SLUGS = frozenset(
    {"new", "preview", "fields", "values", "edit", "archived"}
    | {"overlap", "templates", "definitions", "partitions", "splits", "divisions"}
)


def clean_name(name: Any) -> str:
    """Return a name without blanks around and doubled.

    Raises ValidationError naming `name`.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValidationError({"name": "Give the segment a name."})
    name = " ".join(name.split())
    if len(name) > 200:
        raise ValidationError({"name": "A name has at most 200 characters."})
    if "\x00" in name:
        raise ValidationError({"name": "A name cannot hold the character NUL."})
    return name


def clean_choice(field: str, value: Any, choices: Sequence[str]) -> str:
    """Return the value where it is one of the choices.

    Raises ValidationError naming the field.
    """
    if value not in choices:
        raise ValidationError({field: f"{field} must be one of {', '.join(choices)}."})
    return str(value)


def _slug_candidates(name: str) -> Iterator[str]:
    base = slugify(name)[:100].strip("-") or "segment"
    # A slug of digits alone would read as an id.
    if base.isdigit() or base in RESERVED_SLUGS:
        base = f"segment-{base}"
    yield base
    for number in range(2, 1000):
        yield f"{base}-{number}"


def insert_with_slug(row: models.Model) -> None:
    """Save a new segment, partition or split under a slug of its name that is still free (3 queries and more).

    Raises ValidationError naming `name`.
    """
    rows = type(row)._default_manager
    for slug in _slug_candidates(row.name):  # type: ignore[attr-defined]
        if rows.filter(slug=slug).exists():
            continue
        row.slug = slug  # type: ignore[attr-defined]
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            continue  # taken in the same instant
        return
    raise ValidationError({"name": "Too many have this name already; choose another."})
