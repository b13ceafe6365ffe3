"""Random rules: the compiled query, the bitmaps and the plain Python oracle agree (TREES=10000 for many)."""

import os
from dataclasses import replace

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from segments.rules.bitmaps import inner_groups
from segments.rules.evaluate import evaluate, member_queryset
from segments.rules.nodes import Aggregate, Group, Node, Related, Rule
from segments.rules.parse import parse_rule_json
from segments.rules.validate import validate
from tests.rule_strategies import MEMBER_TYPES, rules
from tests.segments.rule_cases import all_fields, dumps, rule_of
from tests.worlds.fixture import Judged

EXAMPLES = int(os.environ.get("TREES", "100"))
RANDOM = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="TREES" not in os.environ,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate] + ([Phase.shrink] if EXAMPLES > 100 else []),
)


def draw_rule(judged: Judged, data: st.DataObject, depth: int = 4, related: int = 3) -> Rule:
    """Draw a rule and validate it as the API would."""
    member_type = data.draw(st.sampled_from(MEMBER_TYPES))
    raw = data.draw(rules(member_type, judged.names, max_depth=depth, max_related=related))
    return validate(parse_rule_json(dumps(raw)), member_type)


def group(rule: Rule, combinator: str, *parts: Group, negated: bool = False) -> Rule:
    """Return a rule over groups of another."""
    return replace(rule, root=Group((), combinator, parts, negated))


def test_random_trees_agree(judged: Judged) -> None:
    """T1: query = bitmaps = oracle; r and not r part the members; not(a or b) = not a and not b."""

    @RANDOM
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rule = draw_rule(judged, data)
        wanted, queried, evaluated = judged.verdicts(rule)
        assert queried == wanted, rule.canonical
        assert set(evaluated.members) == wanted, rule.canonical
        opposite = group(rule, "and", rule.root, negated=True)
        refused = set(member_queryset(opposite, judged.clock).values_list("pk", flat=True))
        assert refused.isdisjoint(wanted)
        assert len(refused) + len(wanted) == judged.total(rule.member_type)

    check()


def test_de_morgan(judged: Judged) -> None:
    @settings(RANDOM, max_examples=max(10, EXAMPLES // 5))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rule = draw_rule(judged, data, depth=3, related=1)
        parts = rule.root.rules
        first, second = Group((), "and", parts[:1]), Group((), "or", parts)
        left = group(rule, "or", first, second, negated=True)
        right = group(rule, "and", replace(first, negated=True), replace(second, negated=True))
        by_bitmaps = evaluate(left, judged.clock).members
        assert by_bitmaps == evaluate(right, judged.clock).members
        for rule_written in (left, right):
            queried = member_queryset(rule_written, judged.clock).values_list("pk", flat=True)
            assert set(queried) == set(by_bitmaps)

    check()


def test_every_node_of_random_trees_agrees(judged: Judged) -> None:
    """A node counts the members for which it alone holds; inside related groups, those with at least one such row."""

    @settings(RANDOM, max_examples=max(10, EXAMPLES // 5))
    @given(st.data())
    def check(data: st.DataObject) -> None:
        rule = draw_rule(judged, data, depth=4, related=2)
        evaluated = evaluate(rule, judged.clock)

        def walk(node: Node, around: tuple[Related, ...]) -> None:
            alone: Node = node
            for owner in reversed(around):
                alone = replace(owner, group=Group((), "and", (alone,)))
            assert set(evaluated.node(node.path)) == judged.oracle.holding(alone, rule.member_type), node.path
            if isinstance(node, Group):
                for inner in node.rules:
                    walk(inner, around)
            elif isinstance(node, Related | Aggregate):
                for group in inner_groups(node):
                    walk(group, (*around, Related((), node.ref, "some")))

        walk(rule.root, ())

    check()


def test_a_narrower_window_lies_in_a_wider_one(judged: Judged) -> None:
    for field, member, relation in all_fields():
        if field.type not in ("date", "datetime") or relation:
            continue
        found = [
            set(
                evaluate(
                    rule_of({"field": field.key, "operator": "in_last", "value": window}, member), judged.clock
                ).members
            )
            for window in ({"n": 7, "unit": "day"}, {"n": 1, "unit": "month"}, {"n": 1, "unit": "year"})
        ]
        assert found[0] <= found[1] <= found[2], field.key
