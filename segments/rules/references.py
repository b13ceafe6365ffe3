"""References in rules: users, records, words of vocabularies, codes and segments, by id or natural key (RULES §3).

All references of a rule are collected first and then resolved with a handful of queries for each kind of target,
however many values there are.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model, QuerySet

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.folding import fold

from .parse import printable
from .values import MAX_INTEGER, Problem, clean_text, kind_of

MAX_CHAIN = 8
# target -> (model, CatalogueAlias kind or "", how messages call it)
_CATALOGUES = {
    "product": ("accounts.Product", "product", "product"),
    "vendor": ("accounts.Vendor", "vendor", "vendor"),
    "technology_product": ("accounts.TechnologyProduct", "technology_product", "technology"),
    "pipeline": ("accounts.Pipeline", "pipeline", "pipeline"),
    "stage": ("accounts.Stage", "stage", "stage"),
    "persona": ("accounts.Persona", "persona", "persona"),
    "campaign": ("accounts.CampaignRef", "campaign", "campaign"),
}


@dataclass(frozen=True)
class Resolved:
    """What a reference stands for: its id, the words to show, and the form in which rules are stored."""

    id: int
    label: str
    natural: str | int


class References:
    """The references of one rule: `want` each, `resolve` once, then `get` each."""

    def __init__(self, user: AnyUser | None = None) -> None:
        self.user = user
        self._wanted: dict[str, dict[Any, None]] = defaultdict(dict)
        self._found: dict[tuple[str, Any], Resolved] = {}
        self._ambiguous: dict[tuple[str, Any], list[str]] = {}
        self._by_id: dict[tuple[str, int], Resolved] = {}

    def want(self, target: str, raw: Any) -> None:
        """Note a reference.

        Raises Problem where it is neither an id nor a text.
        """
        self._wanted[target][_checked(raw)] = None

    def resolve(self) -> None:
        """Look up all noted references (1 to 4 queries for each kind of target)."""
        for target, wanted in self._wanted.items():
            ids = [raw for raw in wanted if isinstance(raw, int)]
            texts = [raw for raw in wanted if isinstance(raw, str)]
            kind, _, argument = target.partition(":")
            if kind == "term":
                self._vocabulary(target, _terms(argument), ids, texts, _term_aliases(argument))
            elif kind in _CATALOGUES:
                label, alias, _ = _CATALOGUES[kind]
                self._vocabulary(target, apps.get_model(label)._default_manager.all(), ids, texts, alias)
            else:
                getattr(self, f"_resolve_{kind}")(target, argument, ids, texts)
        self._wanted.clear()

    def get(self, target: str, raw: Any) -> Resolved:
        """Return what a resolved reference stands for.

        Raises Problem where it is unknown, invisible to the user or ambiguous.
        """
        key = (target, _checked(raw))
        if found := self._found.get(key):
            return found
        words = _words(target)
        if several := self._ambiguous.get(key):
            raise Problem(
                "ambiguous",
                f"{_quoted(raw)} names several {words}s: {', '.join(several[:5])}; use one of these or an id.",
            )
        raise Problem("unknown_reference", f"There is no {words} {_quoted(raw)}.")

    def natural(self, target: str, identity: int) -> str | int:
        """Return the stored form of a reference that `get` has returned."""
        return self._by_id[target, identity].natural

    def _keep(self, target: str, raw: Any, resolved: Resolved) -> None:
        self._found[target, raw] = resolved
        self._by_id[target, resolved.id] = resolved

    def _vocabulary(
        self, target: str, rows: QuerySet[Any], ids: list[int], texts: list[str], alias: "str | QuerySet[Any]"
    ) -> None:
        """Resolve words kept by users: by id, then slug, then folded name, then alias."""
        for row in rows.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, _word(row))
        if not texts:
            return
        folded = {raw: fold(raw) for raw in texts}
        slugs = {row.slug: row for row in rows.filter(slug__in={*texts, *folded.values()})}
        rest = []
        for raw in texts:
            row = slugs.get(raw) or slugs.get(folded[raw])
            if row is not None:
                self._keep(target, raw, _word(row))
            else:
                rest.append(raw)
        if rest:
            names = _grouped((row.name_folded, row) for row in rows.filter(name_folded__in={folded[r] for r in rest}))
            missing = {folded[raw] for raw in rest if folded[raw] not in names}
            if missing:
                names.update(_aliased(rows, alias, missing))
            for raw in rest:
                self._one_of(target, raw, [_word(row) for row in names.get(folded[raw], [])])

    def _one_of(self, target: str, raw: Any, candidates: list[Resolved]) -> None:
        if len(candidates) == 1:
            self._keep(target, raw, candidates[0])
        elif candidates:
            self._ambiguous[target, raw] = [str(candidate.natural) for candidate in candidates]

    def _resolve_code(self, target: str, system: str, ids: list[int], texts: list[str]) -> None:
        from accounts.models import IndustryCode

        rows = IndustryCode.objects.filter(system=system)
        for row in rows.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, _code(row))
        codes = {raw: raw.strip().upper() for raw in texts}
        by_code = {row.code.upper(): row for row in rows.filter(code__in=codes.values())} if texts else {}
        for raw, code in codes.items():
            if code in by_code:
                self._keep(target, raw, _code(by_code[code]))

    def _resolve_user(self, target: str, argument: str, ids: list[int], texts: list[str]) -> None:
        from segmentation_crm.common.models import User

        for user in User.objects.filter(pk__in=ids) if ids else ():
            self._keep(target, user.pk, _person(user))
        for user in User.objects.filter(username__in=texts) if texts else ():
            self._keep(target, user.username, _person(user))

    def _resolve_account(self, target: str, argument: str, ids: list[int], texts: list[str]) -> None:
        rows = _visible("account", self.user)
        for row in rows.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, _record(row))
        if not texts:
            return
        folded = {raw: fold(raw) for raw in texts}
        domains = {row.domain: row for row in rows.filter(domain__in=set(folded.values())).exclude(domain="")}
        rest = [raw for raw in texts if folded[raw] not in domains]
        for raw in texts:
            if folded[raw] in domains:
                self._keep(target, raw, _record(domains[folded[raw]]))
        if rest:
            names = _grouped((row.name_folded, row) for row in rows.filter(name_folded__in={folded[r] for r in rest}))
            for raw in rest:
                same = names.get(folded[raw], [])
                exact = [row for row in same if row.name == raw.strip()] or same
                if len(exact) > 1:
                    self._ambiguous[target, raw] = [f"{row.name} (id {row.pk})" for row in exact]
                elif exact:
                    self._keep(target, raw, _record(exact[0]))

    def _resolve_contact(self, target: str, argument: str, ids: list[int], texts: list[str]) -> None:
        rows = _visible("contact", self.user)
        for row in rows.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, _record(row))
        folded = {raw: fold(raw) for raw in texts}
        emails = (
            _grouped((row.email_folded, row) for row in rows.filter(email_folded__in=set(folded.values())))
            if texts
            else {}
        )
        for raw in texts:
            self._one_of(target, raw, [_record(row) for row in emails.get(folded[raw], [])])

    def _resolve_content(self, target: str, argument: str, ids: list[int], texts: list[str]) -> None:
        from accounts.models import ContentItem

        for row in ContentItem.objects.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, Resolved(row.pk, row.title, row.pk))
        folded = {raw: fold(raw) for raw in texts}
        found = ContentItem.objects.filter(title_folded__in=set(folded.values())) if texts else ()
        titles = _grouped((row.title_folded, row) for row in found)
        for raw in texts:
            self._one_of(target, raw, [Resolved(r.pk, r.title, r.pk) for r in titles.get(folded[raw], [])])

    def _resolve_contract(self, target: str, argument: str, ids: list[int], texts: list[str]) -> None:
        from accounts.models import Contract

        for row in Contract.objects.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, Resolved(row.pk, f"contract {row.pk}", row.pk))

    def _resolve_segment(self, target: str, member_type: str, ids: list[int], texts: list[str]) -> None:
        from segments.models import Segment

        rows = Segment.objects.filter(member_type=member_type)
        if self.user is not None:
            from segments.queries import segments_visible_to

            rows = segments_visible_to(self.user).filter(member_type=member_type)
        for row in rows.filter(pk__in=ids) if ids else ():
            self._keep(target, row.pk, Resolved(row.pk, row.name, row.slug))
        for row in rows.filter(slug__in=texts) if texts else ():
            self._keep(target, row.slug, Resolved(row.pk, row.name, row.slug))


def segment_targets(referred: Iterable[int], segment_id: int | None) -> dict[int, Problem]:
    """Return what is wrong with a rule's references to these segments: cycles and chains above 8 (1 query).

    segment_id: the segment that the rule belongs to, None for one not saved yet. A chain counts segments, the rule's
    own included; those that refer to the rule's segment count too, because its rule becomes part of theirs. A parent
    counts as referred to by its children; parts of partitions and splits refer by their rules.
    """
    from segments.models import Segment

    by_slug: dict[str, int] = {}
    raw: dict[int, Any] = {}
    parent_of: dict[int, int] = {}
    for pk, slug, rules, parent in Segment.objects.values_list("pk", "slug", "rules", "parent_id"):
        by_slug[slug] = pk
        raw[pk] = rules
        if parent is not None:
            parent_of[pk] = parent
    edges = {pk: _referred(rules, by_slug) for pk, rules in raw.items()}
    for pk, parent in parent_of.items():
        edges[pk].add(parent)
    above = 0
    if segment_id is not None:
        edges[segment_id] = set()
        parents: dict[int, set[int]] = defaultdict(set)
        for pk, targets in edges.items():
            for target in targets:
                parents[target].add(pk)
        above = _longest(segment_id, parents) - 1
    problems = {}
    for pk in set(referred):
        if segment_id is not None and (pk == segment_id or segment_id in _reachable(pk, edges)):
            problems[pk] = Problem("cycle", "This segment refers back to the one being edited; remove the circle.")
        elif above + 1 + _longest(pk, edges) > MAX_CHAIN:
            problems[pk] = Problem("chain", f"Segments refer to segments more than {MAX_CHAIN} deep.")
    return problems


def _referred(rules: Any, by_slug: dict[str, int]) -> set[int]:
    """Return the ids of the segments that a stored rule refers to."""
    found: set[int] = set()
    stack = [rules]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack.extend(node)
        elif isinstance(node, dict):
            field = node.get("field")
            if isinstance(field, str) and (field == "segment" or field.endswith(".segment")):
                values = node.get("value")
                if isinstance(values, dict):
                    values = [values.get("segment")]
                for value in values if isinstance(values, list) else ():
                    pk = value if isinstance(value, int) else by_slug.get(value)
                    if pk is not None:
                        found.add(pk)
            stack.extend(node.values())
    return found


def _reachable(start: int, edges: dict[int, set[int]]) -> set[int]:
    seen: set[int] = set()
    stack = list(edges.get(start, ()))
    while stack:
        pk = stack.pop()
        if pk not in seen:
            seen.add(pk)
            stack.extend(edges.get(pk, ()))
    return seen


def _longest(start: int, edges: dict[int, set[int]]) -> int:
    """Return the number of segments on the longest path from this one, counted to one above the limit."""
    level, length = {start}, 1
    while length <= MAX_CHAIN:
        level = {target for pk in level for target in edges.get(pk, ())}
        if not level:
            break
        length += 1
    return length


def _checked(raw: Any) -> int | str:
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        raise Problem("wrong_type", f"Expected an id or a name, not {kind_of(raw)}.")
    if isinstance(raw, str):
        return clean_text(raw)
    if not 1 <= raw <= MAX_INTEGER:
        raise Problem("out_of_range", "Expected an id above 0.")
    return raw


def _quoted(raw: Any) -> str:
    return f"with the id {raw}" if isinstance(raw, int) else f'"{printable(raw, 60)}"'


def _words(target: str) -> str:
    kind, _, argument = target.partition(":")
    if kind == "code":
        return f"{argument.upper()} code"
    if kind == "segment":
        return f"segment of {argument}s"
    if kind in _CATALOGUES:
        return _CATALOGUES[kind][2]
    return (argument or kind).replace("_", " ")


def _terms(vocabulary: str) -> QuerySet[Any]:
    from accounts.models import Term

    return Term.objects.filter(vocabulary=vocabulary)


def _term_aliases(vocabulary: str) -> QuerySet[Any]:
    from accounts.models import TermAlias

    return TermAlias.objects.filter(vocabulary=vocabulary)


def _aliased(rows: QuerySet[Any], alias: "str | QuerySet[Any]", missing: set[str]) -> dict[str, list[Any]]:
    """Return the rows that these folded texts are aliases of."""
    if isinstance(alias, str):
        from accounts.models import CatalogueAlias

        found = CatalogueAlias.objects.filter(kind=alias, text_folded__in=missing)
        pairs = list(found.values_list("text_folded", "record_id"))
    else:
        pairs = list(alias.filter(text_folded__in=missing).values_list("text_folded", "term_id"))
    by_id = rows.in_bulk({pk for _, pk in pairs}) if pairs else {}
    return _grouped((text, by_id[pk]) for text, pk in pairs if pk in by_id)


def _grouped(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for key, row in pairs:
        found[key].append(row)
    return dict(found)


def _visible(record: str, user: AnyUser | None) -> QuerySet[Any]:
    """Return the live accounts or contacts that the user may see, all of them for no user."""
    if user is not None:
        from accounts import queries

        rows: QuerySet[Any] = getattr(queries, f"{record}s_visible_to")(user)
        return rows
    from accounts.models import Account, Contact

    return Account.objects.live() if record == "account" else Contact.objects.live()


def _word(row: Any) -> Resolved:
    return Resolved(row.pk, row.name, row.slug)


def _code(row: Any) -> Resolved:
    return Resolved(row.pk, f"{row.code} {row.title}", row.code)


def _person(user: Any) -> Resolved:
    return Resolved(user.pk, user.get_full_name() or user.username, user.pk)


def _record(row: Model) -> Resolved:
    return Resolved(row.pk, str(row), row.pk)
