"""Validation: raw JSON to nodes, or every error at once with its path (RULES §1–§5). It never widens a rule.

The tree is walked twice: first to note the references, then, once they are resolved in a few queries, to build nodes.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.fields import FieldDef, registry

from . import spellings
from .canonical import canonical, digest
from .nodes import (
    Aggregate,
    Condition,
    FieldRef,
    Group,
    InvalidRule,
    Node,
    Path,
    Related,
    RelationRef,
    Rule,
    RuleError,
    SegmentTest,
)
from .operands import SEGMENT_EXAMPLES, Operands
from .operators import COUNTED_MODES, FUNCTIONS, MODES, RANKING, SEGMENT, Operator, operators_of, result_type
from .parse import printable
from .references import References, segment_targets
from .scope import Scope
from .values import Problem, clean_integer, kind_of

MAX_GROUP_DEPTH = 8
MAX_RELATED_DEPTH = 3
MAX_ATOMS = 200
MAX_VALUES = 10_000
MAX_ERRORS = 200
_GROUP_KEYS = frozenset({"combinator", "not", "rules"})
_CONDITION_KEYS = frozenset({"field", "operator", "value"})
_RELATED_KEYS = frozenset({"field", "operator", "match", "value"})
_AGGREGATE_KEYS = frozenset({"field", "aggregate", "where", "operator", "value"})


def validate(raw: Any, member_type: str, *, user: AnyUser | None = None, segment_id: int | None = None) -> Rule:
    """Return the rule that the JSON means.

    user: who names records and segments; what is invisible is unknown. segment_id: the segment that the rule belongs
    to, for circles. Costs no query for a rule without custom fields, references and segments, else a few for each kind.
    Raises InvalidRule with every error.
    """
    record = registry.records.get(member_type) if isinstance(member_type, str) else None
    if record is None or not record.member:
        names = ", ".join(prefix for prefix, found in registry.records.items() if found.member)
        raise InvalidRule(
            [RuleError((), "member_type", "unknown_choice", f"Expected one of {names}, not {kind_of(member_type)}.")]
        )
    references = References(user)
    _Walk(member_type, references, collecting=True).root(raw)
    references.resolve()
    walk = _Walk(member_type, references, collecting=False)
    root = walk.root(raw)
    if not walk.errors:
        walk.check_segments(segment_id)
    if walk.errors or root is None:
        raise InvalidRule(walk.errors[:MAX_ERRORS])
    stored = canonical(root, references)
    return Rule(member_type, root, stored, digest(member_type, stored))


class _CustomFields:
    """The custom fields, read at most once for a rule."""

    @cached_property
    def by_key(self) -> Mapping[str, FieldDef]:
        return {field.key: field for field in registry.custom_fields()}

    def __call__(self) -> Mapping[str, FieldDef]:
        return self.by_key


class _Walk:
    """One walk over the raw tree. Every method notes its errors and returns None where there is no node."""

    def __init__(self, member_type: str, references: References, collecting: bool) -> None:
        self.scope = Scope(registry, member_type, _CustomFields())
        self.references = references
        self.operands = Operands(references, collecting)
        self.collecting = collecting
        self.errors: list[RuleError] = []
        self.atoms = 0
        self.segments: list[SegmentTest] = []

    def error(self, path: Path, field: str, code: str, message: str) -> None:
        self.errors.append(RuleError(path, field, code, message))

    def root(self, raw: Any) -> Group | None:
        if not isinstance(raw, dict):
            self.error((), "", "wrong_type", f"A rule is an object with combinator and rules, not {kind_of(raw)}.")
            return None
        version = raw.get("version", 1)
        if isinstance(version, bool) or version != 1:
            self.error(("version",), "", "unknown_version", 'The version of the rule language is 1: "version": 1.')
        group = self.group({k: v for k, v in raw.items() if k != "version"}, (), self.scope, 1, 0)
        if self.atoms > MAX_ATOMS:
            self.error((), "", "too_many_atoms", f"The rule has {self.atoms} conditions; {MAX_ATOMS} are allowed.")
        if self.operands.values > MAX_VALUES:
            self.error(
                (),
                "",
                "too_many_values",
                f"The lists hold {self.operands.values:,} values; {MAX_VALUES:,} are allowed.",
            )
        return group

    # --- groups ---
    def group(self, raw: Any, path: Path, scope: Scope, depth: int, related: int) -> Group | None:
        if not isinstance(raw, dict):
            self.error(path, "", "wrong_type", f"Expected a group with combinator and rules, not {kind_of(raw)}.")
            return None
        if depth > MAX_GROUP_DEPTH:
            self.error(path, "", "too_deep", f"Groups may lie {MAX_GROUP_DEPTH} deep; this one lies deeper.")
            return None
        raw = self.keys(raw, path, _GROUP_KEYS, "a group")
        combinator = raw.get("combinator")
        if combinator not in ("and", "or") or not isinstance(combinator, str):
            code = "missing" if "combinator" not in raw else "unknown_choice"
            self.error((*path, "combinator"), "", code, 'Every group needs a combinator: "and" or "or".')
        negated = raw.get("not", False)
        if not isinstance(negated, bool):
            self.error((*path, "not"), "", "wrong_type", f'"not" is true or false, not {kind_of(negated)}.')
        rules = raw.get("rules")
        if not isinstance(rules, list):
            self.error(
                (*path, "rules"),
                "",
                "missing" if "rules" not in raw else "wrong_type",
                'Every group needs a list of rules: "rules": […].',
            )
            return None
        if not rules:
            self.error((*path, "rules"), "", "empty_group", "The group is empty; add a condition or remove it.")
        nodes = [self.node(rule, (*path, "rules", i), scope, depth, related) for i, rule in enumerate(rules)]
        found = tuple(node for node in nodes if node is not None)
        return Group(path, str(combinator), found, bool(negated)) if found else None

    def node(self, raw: Any, path: Path, scope: Scope, depth: int, related: int) -> Node | None:
        if isinstance(raw, str):
            self.error(path, "", "combinator_between", "Combinators between rules are not taken; put one on the group.")
            return None
        if not isinstance(raw, dict):
            self.error(path, "", "wrong_type", f"Expected a group or a condition, not {kind_of(raw)}.")
            return None
        if "rules" in raw or "combinator" in raw:
            return self.group(raw, path, scope, depth + 1, related)
        self.atoms += 1
        if self.atoms > MAX_ATOMS:
            return None
        field = raw.get("field")
        if not isinstance(field, str):
            code = "missing" if "field" not in raw else "wrong_type"
            self.error((*path, "field"), "", code, 'Name a field: "field": "account.employee_count".')
            return None
        if field == "segment" or field.endswith(".segment"):
            return self.segment(raw, field, path, scope)
        if "aggregate" in raw:
            return self.aggregate(raw, field, path, scope, depth, related)
        if "match" in raw or raw.get("operator") == "match":
            return self.related(raw, field, path, scope, depth, related)
        return self.condition(raw, field, path, scope)

    def keys(self, raw: dict[str, Any], path: Path, allowed: frozenset[str], what: str) -> dict[str, Any]:
        """Return the object without a builder's own keys; note every key that is not allowed."""
        found = {}
        for key, value in raw.items():
            if key in allowed:
                found[key] = value
            elif key == "valueSource":
                if value != "value" or not isinstance(value, str):
                    self.error((*path, key), "", "value_source", "Fields as values are not taken; give a value.")
            elif key == "disabled":
                if value is not False:
                    self.error((*path, key), "", "disabled", "Remove the disabled rule; it would change the members.")
            elif key not in spellings.IGNORED_KEYS:
                name = printable(str(key), 40)
                self.error((*path, name), "", "extra_key", f'Unknown key "{name}" in {what}.')
        return found

    # --- atoms ---
    def operator(
        self, raw: dict[str, Any], key: str, path: Path, type_name: str, allowed: dict[str, Operator], inner: bool
    ) -> Operator | None:
        written = raw.get("operator")
        if not isinstance(written, str):
            code = "missing" if "operator" not in raw else "wrong_type"
            self.error((*path, "operator"), key, code, f"Name an operator: {', '.join(allowed)}.")
            return None
        name = spellings.operator_name(written, type_name, raw.get("value"))
        if name in allowed:
            return allowed[name]
        if name in RANKING and inner:
            self.error(
                (*path, "operator"),
                key,
                "not_here",
                f"{name} ranks all records; it cannot stand inside related rows or figures.",
            )
        else:
            self.error(
                (*path, "operator"),
                key,
                "unknown_operator",
                f'"{printable(written, 40)}" is not an operator of this field; it has {", ".join(allowed)}.',
            )
        return None

    def value(
        self,
        raw: dict[str, Any],
        key: str,
        path: Path,
        operator: Operator,
        field: FieldDef | None,
        type_name: str,
    ) -> tuple[Any, dict[Any, str], bool]:
        """Return the cleaned operand, the words of its references, and whether it is right."""
        at = (*path, "value")
        if operator.operand != "none" and "value" not in raw:
            self.error(at, key, "missing", f'"{operator.label}" needs a value.')
            return None, {}, False
        given = raw.get("value")
        if operator.operand == "none" and operator.name in ("is_true", "is_false") and isinstance(given, bool):
            given = None if raw.get("operator") in ("=", "eq") else given
        labels: dict[Any, str] = {}
        cleaned, problems = self.operands.clean(operator, field, type_name, given, labels)
        for problem in problems:
            self.error((*at, *problem.at), key, problem.code, problem.message)
        return cleaned, labels, not problems

    def condition(self, raw: dict[str, Any], key: str, path: Path, scope: Scope) -> Condition | None:
        raw = self.keys(raw, path, _CONDITION_KEYS, "a condition")
        try:
            ref = scope.field(key)
        except Problem as problem:
            self.error((*path, "field"), printable(key), problem.code, problem.message)
            return None
        field = ref.field
        allowed = operators_of(field.type, history=bool(field.history), ranking=not scope.inner)
        operator = self.operator(raw, ref.key, path, field.type, allowed, scope.inner)
        if operator is None:
            return None
        value, labels, right = self.value(raw, ref.key, path, operator, field, field.type)
        return Condition(path, ref, operator.name, value, labels) if right else None

    def relation(self, key: str, path: Path, scope: Scope, related: int) -> RelationRef | None:
        if related >= MAX_RELATED_DEPTH:
            self.error(
                path,
                printable(key),
                "too_deep",
                f"Related rows and figures may lie {MAX_RELATED_DEPTH} deep; this one lies deeper.",
            )
            return None
        try:
            return scope.relation(key)
        except Problem as problem:
            self.error((*path, "field"), printable(key), problem.code, problem.message)
            return None

    def related(
        self, raw: dict[str, Any], key: str, path: Path, scope: Scope, depth: int, related: int
    ) -> Related | None:
        raw = self.keys(raw, path, _RELATED_KEYS, "a related condition")
        if not isinstance(raw.get("operator"), str) or raw["operator"] not in spellings.RELATED:
            self.error((*path, "operator"), printable(key), "unknown_operator", 'The operator here is "match".')
        ref = self.relation(key, path, scope, related)
        mode, threshold = self.match(raw.get("match"), key, path)
        if ref is None:
            return None
        group = None
        if "value" in raw:
            group = self.group(raw["value"], (*path, "value"), scope.within(ref.relation), depth + 1, related + 1)
        return Related(path, ref, mode, threshold, group)

    def match(self, raw: Any, key: str, path: Path) -> tuple[str, int | None]:
        at, example = (*path, "match"), '{"mode": "at_least", "threshold": 2}'
        if not isinstance(raw, dict):
            self.error(at, printable(key), "wrong_type", f"Expected {example}, not {kind_of(raw)}.")
            return "", None
        for extra in raw.keys() - {"mode", "threshold"}:
            self.error((*at, printable(extra, 40)), printable(key), "extra_key", f"Unknown key; expected {example}.")
        written = raw.get("mode")
        mode = spellings.mode_name(written) if isinstance(written, str) else ""
        if mode not in MODES:
            self.error((*at, "mode"), printable(key), "unknown_choice", f"Expected one of {', '.join(MODES)}.")
        threshold: int | None = None
        try:
            if raw.get("threshold") is not None:
                threshold = clean_integer(raw["threshold"])
                if threshold < 0:
                    raise Problem("out_of_range", "Expected a whole number of 0 or more.")
            elif mode in COUNTED_MODES:
                raise Problem("missing", f"{mode} needs a threshold, such as {example}.")
        except Problem as problem:
            self.error((*at, "threshold"), printable(key), problem.code, problem.message)
        return mode, threshold if mode in COUNTED_MODES else None

    def aggregate(
        self, raw: dict[str, Any], key: str, path: Path, scope: Scope, depth: int, related: int
    ) -> Aggregate | None:
        raw = self.keys(raw, path, _AGGREGATE_KEYS, "a figure")
        ref = self.relation(key, path, scope, related)
        if ref is None:
            return None
        inner = scope.within(ref.relation)
        where: Group | None = None
        if "where" in raw:
            where = self.group(raw["where"], (*path, "where"), inner, depth + 1, related + 1)
        function, of = self.function(raw.get("aggregate"), key, path, inner, depth, related)
        if not function or (of is None and FUNCTIONS[function].takes != "nothing"):
            return None
        of_field = of.field if isinstance(of, FieldRef) else None
        figure = result_type(function, of_field.type if of_field else "")
        allowed = operators_of(figure, ranking=False)
        operator = self.operator(raw, ref.key, path, figure, allowed, True)
        if operator is None:
            return None
        carries = function in ("first", "last", "min", "max", "sum", "avg")
        value, labels, right = self.value(raw, ref.key, path, operator, of_field if carries else None, figure)
        if not right:
            return None
        return Aggregate(path, ref, function, of, where, operator.name, value, figure, labels)

    def function(
        self, raw: Any, key: str, path: Path, inner: Scope, depth: int, related: int
    ) -> tuple[str, FieldRef | Group | None]:
        at, name = (*path, "aggregate"), printable(key)
        if not isinstance(raw, dict):
            self.error(at, name, "wrong_type", f'Expected {{"function": "count"}} or another, not {kind_of(raw)}.')
            return "", None
        for extra in raw.keys() - {"function", "of"}:
            self.error((*at, printable(extra, 40)), name, "extra_key", 'Unknown key; expected "function" and "of".')
        written = raw.get("function")
        function = FUNCTIONS.get(written) if isinstance(written, str) else None
        if function is None:
            self.error((*at, "function"), name, "unknown_choice", f"Expected one of {', '.join(FUNCTIONS)}.")
            return "", None
        of = raw.get("of")
        if function.takes == "nothing":
            if "of" in raw:
                self.error((*at, "of"), name, "extra_key", f'{function.name} takes no "of".')
            return function.name, None
        if function.takes == "group":
            if "of" not in raw:
                self.error((*at, "of"), name, "missing", 'A ratio needs "of": the group of rows it is a share of.')
                return function.name, None
            return function.name, self.group(of, (*at, "of"), inner, depth + 1, related + 1)
        if not isinstance(of, str):
            self.error((*at, "of"), name, "missing", f'{function.name} needs "of": a field of the related rows.')
            return function.name, None
        try:
            ref = inner.field(of)
        except Problem as problem:
            self.error((*at, "of"), printable(of), problem.code, problem.message)
            return function.name, None
        if ref.field.type not in function.of:
            fits = ", ".join(sorted(function.of))
            self.error((*at, "of"), ref.key, "wrong_type", f"{function.name} takes a field of type {fits}.")
            return function.name, None
        return function.name, ref

    def segment(self, raw: dict[str, Any], key: str, path: Path, scope: Scope) -> SegmentTest | None:
        raw = self.keys(raw, path, _CONDITION_KEYS, "a segment condition")
        try:
            record, hops = scope.segment(key)
        except Problem as problem:
            self.error((*path, "field"), printable(key), problem.code, problem.message)
            return None
        operator = self.operator(raw, key, path, "reference", SEGMENT, scope.inner)
        if operator is None:
            return None
        if "value" not in raw:
            example = SEGMENT_EXAMPLES.get(operator.operand, '["slug"]')
            self.error((*path, "value"), key, "missing", f'Say which segment: "value": {example}.')
            return None
        labels: dict[Any, str] = {}
        value, problems = self.operands.segments(operator, f"segment:{record}", raw["value"], labels)
        for wrong in problems:
            self.error((*path, "value", *wrong.at), key, wrong.code, wrong.message)
        if problems:
            return None
        node = SegmentTest(path, operator.name, value.ids, hops, record, labels, value.within, value.at)
        self.segments.append(node)
        return node

    def check_segments(self, segment_id: int | None) -> None:
        """Note circles and chains that are too long (1 query where the rule names segments)."""
        if not self.segments:
            return
        problems = segment_targets({pk for node in self.segments for pk in node.segment_ids}, segment_id)
        for node in self.segments:
            for pk in node.segment_ids:
                if problem := problems.get(pk):
                    self.error(
                        (*node.path, "value"),
                        "segment" if not node.hops else f"{node.record}.segment",
                        problem.code,
                        f"{node.labels.get(pk, pk)}: {problem.message}",
                    )
