"""Targets that refer to other rows: all texts of a batch are looked up at once."""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.db.models.functions import Concat
from django.utils.text import slugify

from segmentation_crm.common.folding import fold

from ..models import CatalogueAlias, ExternalId, IndustryCode, Pipeline, Stage, Term, TermAlias
from ..services.normalisation import tidy
from .drafts import Draft, Reading
from .problems import CellProblem
from .targets import Target, split_cell

AMBIGUOUS = object()


def among(model: type[models.Model], column: str, values: Iterable[Any]) -> models.Q:
    """Return the filter "column is one of these"; a text column also by its shadow, which bears the index."""
    wanted = list(values)
    names = {f.name for f in model._meta.concrete_fields}
    if f"{column}_folded" in names:
        shadow = {fold(value) for value in wanted}
        # A longer text may stand cut in its shadow.
        if all(len(value) <= 240 for value in shadow):
            return models.Q(**{f"{column}__in": wanted, f"{column}_folded__in": shadow})
    return models.Q(**{f"{column}__in": wanted})


_CLOSED_POSITION = 1_000
_WON = frozenset({"won", "closed won", "closed-won", "closed/won"})
_LOST = frozenset({"lost", "closed lost", "closed-lost", "closed/lost"})


@dataclass
class Lookup:
    """What resolving needs to know of the run, and what it has found so far."""

    source: str
    visible: dict[type[models.Model], models.QuerySet[Any]] = field(default_factory=dict)
    known: dict[str, dict[str, Any]] = field(default_factory=lambda: defaultdict(dict))
    added: list[tuple[str, str]] = field(default_factory=list)

    def queryset(self, model: type[models.Model]) -> models.QuerySet[Any]:
        """Return the rows of the model that links may point to."""
        found = self.visible.get(model)
        if found is not None:
            return found.order_by()
        manager = model._default_manager.all().order_by()
        return manager.filter(**dict(getattr(model, "LIVE", ())))


class Deferred(Target):
    """A target whose text is resolved for a whole batch."""

    is_deferred = True
    # An unknown text is a warning of this code.
    code = ""

    def clean(self, text: str, reading: Reading) -> str:
        if len(text) > 500:
            raise CellProblem("too_long", f"{self.label} may hold 500 characters.")
        return text

    def assign(self, draft: Draft, value: Any) -> None:
        draft.columns[f"{self.key}_id"] = value

    def take(self, draft: Draft, text: str) -> None:
        """Leave the cleaned text with the draft."""
        draft.texts[self] = text

    def parts(self, text: str) -> list[str]:
        """Return the texts that have to be looked up."""
        return [text]

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        """Return text -> id, AMBIGUOUS, or nothing for an unknown one (some queries for all texts)."""
        raise NotImplementedError


class Link(Deferred):
    """A link to a record: by external id, then domain or e-mail, then exact name."""

    def __init__(
        self,
        key: str,
        model: type[models.Model],
        *,
        record_type: str,
        unique: tuple[str, ...] = (),
        names: tuple[str, ...] = ("name",),
        text_column: str = "",
        alias_kind: str = "",
        is_later: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(key, **options)
        self.model, self.record_type = model, record_type
        self.unique, self.names, self.text_column, self.is_later = unique, names, text_column, is_later
        self.alias_kind = alias_kind

    def take(self, draft: Draft, text: str) -> None:
        if self.text_column:
            draft.columns.setdefault(self.text_column, text[:255])
        (draft.later if self.is_later else draft.texts)[self] = text

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        wanted = set(texts)
        records = lookup.queryset(self.model)
        found: dict[str, Any] = self._by_external_id(wanted, records, lookup.source)
        for column in self.unique:
            rest = {_normal(column, text): text for text in wanted - found.keys()}
            if rest:
                rows = records.filter(among(self.model, column, rest)).values_list(column, "pk")
                found.update({rest[value]: pk for value, pk in rows if value in rest})
        by_name: dict[str, list[str]] = defaultdict(list)
        for text in wanted - found.keys():
            by_name[tidy(text)].append(text)
        if by_name and self.names:
            if len(self.names) == 1:
                rows = records.filter(among(self.model, self.names[0], by_name)).values_list(self.names[0], "pk")
            else:
                joined = Concat(self.names[0], models.Value(" "), self.names[1], output_field=models.CharField())
                rows = records.annotate(_name=joined).filter(_name__in=by_name).values_list("_name", "pk")
            for name, pk in rows:
                for text in by_name[name]:
                    found[text] = AMBIGUOUS if text in found else pk
        if self.alias_kind and (by_fold := {fold(text): text for text in wanted - found.keys()}):
            # Spellings that a user has merged into an entry.
            rows = CatalogueAlias.objects.filter(kind=self.alias_kind, text_folded__in=by_fold)
            found.update({by_fold[text]: pk for text, pk in rows.values_list("text_folded", "record_id")})
        return found

    def _by_external_id(self, texts: set[str], records: models.QuerySet[Any], source: str) -> dict[str, Any]:
        known = dict(
            ExternalId.objects.filter(record_type=self.record_type, source=source, external_id__in=texts).values_list(
                "external_id", "record_id"
            )
        )
        if not known:
            return {}
        live = set(records.filter(pk__in=known.values()).values_list("pk", flat=True))
        return {text: pk for text, pk in known.items() if pk in live}


class UserLink(Link):
    """A link to a user: by external id, e-mail or username, then exact full name."""

    def _by_external_id(self, texts: set[str], records: models.QuerySet[Any], source: str) -> dict[str, Any]:
        rows = records.filter(external_source=source, external_id__in=texts)
        return dict(rows.values_list("external_id", "pk"))


class OpenTerm(Deferred):
    """A word of an open vocabulary; an unknown one is added, with a warning."""

    def __init__(self, key: str, vocabulary: str, **options: Any) -> None:
        super().__init__(key, **options)
        self.vocabulary = str(vocabulary)

    def clean(self, text: str, reading: Reading) -> str:
        if len(text) > 200:
            raise CellProblem("too_long", f"{self.label} may hold 200 characters.")
        return text

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        known = lookup.known[f"term:{self.vocabulary}"]
        missing = {text for text in texts if text not in known}
        if missing:
            known.update(find_terms(self.vocabulary, missing))
            for text in sorted(missing - known.keys()):
                same = next((t for t in known if fold(t) == fold(text)), None)
                known[text] = known[same] if same else self._add(text, lookup)
        return known

    def _add(self, text: str, lookup: Lookup) -> int:
        slug = free_slug(Term.objects.filter(vocabulary=self.vocabulary), text)
        lookup.added.append((self.key, text))
        return Term.objects.create(vocabulary=self.vocabulary, name=text, slug=slug).pk


class OpenTerms(OpenTerm):
    """Several words of an open vocabulary in one cell."""

    def parts(self, text: str) -> list[str]:
        return split_cell(text)

    def assign(self, draft: Draft, value: Any) -> None:
        draft.multi[(self.key, "term")] = list(dict.fromkeys(value))


class Code(Deferred):
    """A code of SIC 1987 or NAICS 2022, as written; other systems' codes are not cast."""

    def __init__(self, key: str, system: str, **options: Any) -> None:
        super().__init__(key, **options)
        self.system = system

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        known = lookup.known[f"code:{self.system}"]
        missing = {text for text in texts if text not in known}
        if missing:
            rows = IndustryCode.objects.filter(system=self.system, code__in=missing)
            known.update(rows.values_list("code", "pk"))
        return known


class Codes(Code):
    """Several codes in one cell."""

    def parts(self, text: str) -> list[str]:
        return split_cell(text)

    def assign(self, draft: Draft, value: Any) -> None:
        draft.multi[(self.key, "code")] = list(dict.fromkeys(value))


class Entry(Deferred):
    """An entry of a catalogue by slug, name or alias; `adds` says whether an unknown one is added."""

    def __init__(self, key: str, model: type[models.Model], kind: str, *, adds: bool = True, **options: Any) -> None:
        super().__init__(key, **options)
        self.model, self.kind, self.adds = model, kind, adds

    def clean(self, text: str, reading: Reading) -> str:
        if len(text) > 120:
            raise CellProblem("too_long", f"{self.label} may hold 120 characters.")
        return text

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        known = lookup.known[f"entry:{self.kind}"]
        missing = {text for text in texts if text not in known}
        if missing:
            by_fold = {fold(text): text for text in missing}
            aliases = CatalogueAlias.objects.filter(kind=self.kind, text_folded__in=by_fold)
            rows = list(aliases.values_list("text_folded", "record_id"))
            rows += self.model._default_manager.filter(name_folded__in=by_fold).values_list("name_folded", "pk")
            found = dict(rows)
            known.update({text: found[fold(text)] for text in missing if fold(text) in found})
            for text in sorted(missing - known.keys()) if self.adds else ():
                same = next((t for t in known if fold(t) == fold(text)), None)
                known[text] = known[same] if same else self._add(text, lookup)
        return known

    def _add(self, text: str, lookup: Lookup) -> int:
        lookup.added.append((self.key, text))
        slug = free_slug(self.model._default_manager.all(), text)
        return self.model._default_manager.create(name=text, slug=slug).pk


class StageTarget(Deferred):
    """A stage of the row's pipeline, or of the default one; a new one named Won or Lost gets that flag."""

    def clean(self, text: str, reading: Reading) -> str:
        if len(text) > 120:
            raise CellProblem("too_long", "A stage may hold 120 characters.")
        return text

    def assign(self, draft: Draft, value: Any) -> None:
        # The pipeline may come from another column: `opportunities.prepare` chooses within it.
        draft.columns["stage_id"] = value

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        known = lookup.known["stage"]
        missing = {text for text in texts if text not in known}
        if missing:
            pipeline = default_pipeline()
            stages = list(Stage.objects.filter(pipeline=pipeline))
            by_name = {stage.name_folded: stage.pk for stage in stages}
            by_name |= {stage.slug: stage.pk for stage in stages if stage.slug not in by_name}
            aliases = CatalogueAlias.objects.filter(kind="stage", scope=pipeline.pk)
            by_name |= dict(aliases.values_list("text_folded", "record_id"))
            # In order of appearance, which mostly is the order of the pipeline.
            for text in (t for t in texts if t in missing):
                pk = by_name.get(fold(text))
                if pk is None:
                    pk = by_name[fold(text)] = add_stage(pipeline, text).pk
                    lookup.added.append((self.key, text))
                known[text] = pk
        return known


def default_pipeline() -> Pipeline:
    """Return the default pipeline, made where there is none."""
    found = Pipeline.objects.filter(is_default=True).first() or Pipeline.objects.order_by("position", "pk").first()
    return found or Pipeline.objects.create(name="Sales", slug="sales", is_default=True)


def add_stage(pipeline: Pipeline, name: str) -> Stage:
    """Add a stage: open ones after the last open one, won and lost at the end."""
    word = re.sub(r"\s+", " ", fold(name))
    is_won, is_lost = word in _WON, word in _LOST
    alike = Stage.objects.filter(pipeline=pipeline, is_open=not (is_won or is_lost))
    last = alike.aggregate(last=models.Max("position"))["last"] or (_CLOSED_POSITION if is_won or is_lost else 0)
    return Stage.objects.create(
        pipeline=pipeline,
        name=name,
        slug=free_slug(Stage.objects.all(), name),
        position=last + 1,
        probability=1 if is_won else 0 if is_lost else None,
        is_won=is_won,
        is_lost=is_lost,
    )


def find_terms(vocabulary: str, texts: Iterable[str]) -> dict[str, int]:
    """Return text -> term id: by folded name, slug, then alias (2 queries)."""
    by_fold = {text: fold(text) for text in texts}
    folded = set(by_fold.values())
    names: dict[str, int] = dict(
        TermAlias.objects.filter(vocabulary=vocabulary, text_folded__in=folded).values_list("text_folded", "term_id")
    )
    rows = Term.objects.filter(vocabulary=vocabulary).filter(
        models.Q(name_folded__in=folded) | models.Q(slug__in=folded)
    )
    for pk, slug, name in rows.values_list("pk", "slug", "name_folded"):
        names.setdefault(slug, pk)
        names[name] = pk
    return {text: names[key] for text, key in by_fold.items() if key in names}


def free_slug(taken: models.QuerySet[Any], text: str) -> str:
    """Return a slug for the text that no row has yet (1 query)."""
    base = slugify(text, allow_unicode=True)[:100] or "value"
    used = set(taken.filter(slug__startswith=base).values_list("slug", flat=True))
    if base not in used:
        return base
    number = 2
    while f"{base}-{number}" in used:
        number += 1
    return f"{base}-{number}"


def _normal(column: str, text: str) -> str:
    return text.lower() if column in ("email", "domain") else text
