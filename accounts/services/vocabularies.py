"""Open vocabularies: add, rename, move and merge terms.

A slug never changes, and what a term was called before stays as an alias, so that rules, sentences and imports
that name it keep finding it.
"""

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.extensions import after_vocabulary_change, tell
from segmentation_crm.common.folding import fold
from segmentation_crm.common.services import audit

from ..choices import TREE_VOCABULARIES, Vocabulary
from ..models import Term, TermAlias
from ..queries import resolve_term
from .normalisation import tidy
from .references import free_slug, repoint
from .uses import refuse_used


@transaction.atomic
def add_term(vocabulary: str, name: str, *, parent: Term | None = None, slug: str = "") -> Term:
    """Add a term to a vocabulary, under a parent where the vocabulary is a tree.

    Raises ValidationError naming the field: an unknown vocabulary, a name that is taken, a parent elsewhere.
    """
    if vocabulary not in Vocabulary.values:
        raise ValidationError({"vocabulary": f"There is no vocabulary {vocabulary!r}."})
    name = tidy(name)
    _check_name(vocabulary, name, None)
    _check_parent(vocabulary, None, parent)
    terms = Term.objects.filter(vocabulary=vocabulary)
    term = Term(vocabulary=vocabulary, name=name, parent=parent, slug=slug or free_slug(terms, name))
    term.position = (terms.filter(parent=parent).aggregate(last=models.Max("position"))["last"] or 0) + 1
    term.save()
    return term


def get_or_add_term(vocabulary: str, text: str) -> tuple[Term, bool]:
    """Return the term that a text names, added where it is unknown, and whether it was."""
    found = resolve_term(vocabulary, text)
    return (found, False) if found is not None else (add_term(vocabulary, text), True)


@transaction.atomic
def terms_named(vocabulary: str, values: Iterable[Term | str]) -> list[Term]:
    """Return terms for terms and texts, each once; a text that names none becomes a term (≤ 8 queries a new one).

    Raises ValidationError naming a text that cannot be one.
    """
    found = [value if isinstance(value, Term) else get_or_add_term(vocabulary, value)[0] for value in values]
    return list({term.pk: term for term in found}.values())


@transaction.atomic
def rename_term(term: Term, name: str) -> Term:
    """Give a term another name; the old one stays as an alias, the slug as it is.

    Raises ValidationError for an empty or taken name.
    """
    name = tidy(name)
    _check_name(term.vocabulary, name, term)
    old = term.name
    TermAlias.objects.filter(vocabulary=term.vocabulary, text_folded=fold(name)).delete()
    term.name = name
    term.save()
    if fold(old) != fold(name):
        _add_aliases(term, [old])
    tell(after_vocabulary_change)
    return term


@transaction.atomic
def move_term(term: Term, parent: Term | None) -> Term:
    """Put a term with everything below it under another parent, or at the top.

    Raises ValidationError where the parent lies below the term or in another vocabulary.
    """
    _move(term, parent)
    tell(after_vocabulary_change)
    return term


def _move(term: Term, parent: Term | None) -> None:
    _check_parent(term.vocabulary, term, parent)
    term.parent = parent
    term.save()
    refresh_paths(term)


@transaction.atomic
def merge_terms(gone: Term, into: Term, actor: AnyUser | None = None) -> int:
    """Merge one term into another of its vocabulary; returns how many references moved.

    Every row that refers to the term, its children and aliases move; its name and slug become aliases. A row that
    would then stand twice is dropped. All in one transaction; audited.
    Raises ValidationError for a term merged into itself or into another vocabulary.
    """
    if gone.pk == into.pk:
        raise ValidationError({"into": "Choose another term: a term cannot be merged into itself."})
    if gone.vocabulary != into.vocabulary:
        raise ValidationError({"into": "Both terms must belong to the same vocabulary."})
    gone, into = Term.objects.get(pk=gone.pk), Term.objects.get(pk=into.pk)
    if into.path.startswith(gone.path):
        # The one that stays lies below: lift it to where the other was, else its ancestors would form a circle.
        _move(into, gone.parent)
    for child in list(Term.objects.filter(parent=gone).exclude(pk=into.pk)):
        _move(child, into)
    into.refresh_from_db()
    moved = repoint(gone, into)
    name, slug = gone.name, gone.slug
    gone.delete()
    _add_aliases(into, [name, slug])
    audit.record(actor, "term.merged", into, gone=name, vocabulary=into.vocabulary, references=moved)
    tell(after_vocabulary_change)
    return moved


def refresh_paths(term: Term) -> None:
    """Set the paths of a term and everything below it (1 query a level)."""
    level = [term]
    term.path = f"{term.parent.path if term.parent_id and term.parent else '/'}{term.pk}/"
    while level:
        Term.objects.bulk_update(level, ["path"])
        above = {one.pk: one.path for one in level}
        level = list(Term.objects.filter(parent__in=above))
        for one in level:
            one.path = f"{above[one.parent_id]}{one.pk}/"  # type: ignore[index]


def add_alias(term: Term, text: str) -> TermAlias:
    """Let a text name the term too.

    Raises ValidationError where it names another term already.
    """
    found = resolve_term(term.vocabulary, text)
    if found is not None and found.pk != term.pk:
        raise ValidationError({"text": f"{tidy(text)!r} already names {found.name!r}."})
    _add_aliases(term, [text])
    return TermAlias.objects.get(vocabulary=term.vocabulary, text_folded=fold(text))


def _check_name(vocabulary: str, name: str, own: Term | None) -> None:
    if not name:
        raise ValidationError({"name": "A term needs a name."})
    if len(name) > 200:
        raise ValidationError({"name": "A name may have at most 200 characters."})
    taken = Term.objects.filter(vocabulary=vocabulary, name_folded=fold(name)).exclude(pk=own.pk if own else 0)
    if taken.exists():
        raise ValidationError({"name": f"This vocabulary already has a term {name!r}; merge the two instead."})


def _check_parent(vocabulary: str, term: Term | None, parent: Term | None) -> None:
    if parent is None:
        return
    if vocabulary not in TREE_VOCABULARIES:
        raise ValidationError({"parent": "This vocabulary is a plain list; leave the parent empty."})
    if parent.vocabulary != vocabulary:
        raise ValidationError({"parent": "The parent must belong to the same vocabulary."})
    if term is not None and parent.path.startswith(term.path):
        raise ValidationError({"parent": "This would make a circle: the parent lies below the term."})


def _add_aliases(term: Term, texts: Iterable[str]) -> None:
    for text in texts:
        folded = fold(text)
        if folded and folded not in (fold(term.name), term.slug):
            TermAlias.objects.get_or_create(
                vocabulary=term.vocabulary, text_folded=folded, defaults={"term": term, "text": tidy(text)}
            )


def reorder(rows: "models.QuerySet[Any]", ids: list[int]) -> None:
    """Set the positions of terms or stages to the order of the ids (1 query each)."""
    for position, pk in enumerate(ids, start=1):
        rows.filter(pk=pk).update(position=position)


@transaction.atomic
def delete_term(term: Term) -> None:
    """Delete a term that nothing uses; its aliases go with it.

    Raises ValidationError naming what uses it.
    """
    refuse_used(term)
    term.delete()


@transaction.atomic
def set_aliases(term: Term, texts: Iterable[str]) -> None:
    """Let exactly these texts name the term besides its name and slug.

    Raises ValidationError under `aliases` where one names another term already.
    """
    wanted = {fold(text): text for text in texts if fold(text)}
    TermAlias.objects.filter(term=term).exclude(text_folded__in=wanted).delete()
    taken = []
    for text in wanted.values():
        found = resolve_term(term.vocabulary, text)
        if found is not None and found.pk != term.pk:
            taken.append(f"“{tidy(text)}” already names “{found.name}”.")
        elif len(tidy(text)) > 200:
            taken.append(f"“{tidy(text)[:40]}…” is longer than 200 characters.")
    if taken:
        raise ValidationError({"aliases": taken})
    _add_aliases(term, wanted.values())
