"""Overlap of segments: regions against plain sets, rules by logic, what each person sees, pages and API."""

import itertools
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from segmentation_crm.common import lists
from segmentation_crm.common.models import Role
from segments.models import Segment, SegmentMembership
from segments.overlap import CannotCompare, Relation, chosen, exclusive_regions, nearest, overlap_of, relation_of
from segments.services.rebuilding import rebuild_segment
from tests.factories import AccountFactory, UserFactory
from tests.support.api import caller

from .making import all_of, built, larger_than, saved, three_people

SETS = st.lists(st.sets(st.integers(0, 40), max_size=30), min_size=1, max_size=12)


# --- sets ---
@given(SETS)
@settings(max_examples=200, deadline=None)
def test_regions_are_those_of_plain_sets(sets):
    found = {region.mask: region.count for region in exclusive_regions([BitMap(one) for one in sets])}
    plain: dict[int, int] = {}
    for key in set().union(*sets):
        mask = sum(1 << index for index, one in enumerate(sets) if key in one)
        plain[mask] = plain.get(mask, 0) + 1
    assert found == plain
    # Inclusion and exclusion: the regions of a set make up the set, those of a pair their intersection.
    for index, one in enumerate(sets):
        assert sum(count for mask, count in found.items() if mask >> index & 1) == len(one)
    for (i, one), (j, other) in itertools.combinations(enumerate(sets), 2):
        assert sum(count for mask, count in found.items() if mask >> i & 1 and mask >> j & 1) == len(one & other)


def test_regions_come_largest_first():
    found = exclusive_regions([BitMap([1, 2, 3]), BitMap([3, 4, 5, 6])])
    assert [(region.mask, region.count) for region in found] == [(2, 3), (1, 2), (3, 1)]
    assert exclusive_regions([BitMap(), BitMap()]) == []


def test_twelve_sets_of_a_hundred_thousand_are_cut_in_time():
    sets = [BitMap(range(index * 7, 1_000_000, 10 + index % 3)) for index in range(12)]
    began = time.monotonic()
    found = exclusive_regions(sets)
    assert time.monotonic() - began < 5  # milliseconds when alone; the bound only catches a wrong order of work
    assert sum(region.count for region in found) == len(BitMap.union(*sets))


# --- rules ---
def condition(name, operator="eq", value=1):
    return {"field": f"account.{name}", "operator": operator, "value": value}


def either(*rules, **more):
    return {"combinator": "or", "rules": list(rules), **more}


A, B, C = condition("a"), condition("b"), condition("c")
SAME, EQUAL, INSIDE, AROUND, NONE = Relation.SAME, Relation.EQUAL, Relation.INSIDE, Relation.AROUND, Relation.NONE


@pytest.mark.parametrize(
    ("first", "second", "relation"),
    [
        (all_of(A, B), all_of(B, A), SAME),
        ({**all_of(A), "version": 1}, all_of(A), SAME),
        (all_of(A, all_of(B, C)), all_of(A, B, C), EQUAL),
        (all_of(A, A), all_of(A), EQUAL),
        (all_of(A, either(B, C)), either(all_of(A, B), all_of(A, C)), EQUAL),
        ({**either(A, B), "not": True}, all_of(condition("a", "neq"), condition("b", "neq")), EQUAL),
        (all_of(condition("a", "in", [1, 2])), either(condition("a", "eq", 1), condition("a", "eq", 2)), EQUAL),
        (all_of(condition("a", "none_of", [1])), {**all_of(condition("a", "any_of", [1])), "not": True}, EQUAL),
        (all_of(condition("a", "is_empty", None)), {**all_of(condition("a", "is_set", None)), "not": True}, EQUAL),
        (all_of(A, B), all_of(A), INSIDE),
        (all_of(A), either(A, B), INSIDE),
        (all_of(condition("a", "in", [1])), all_of(condition("a", "in", [1, 2])), INSIDE),
        (all_of(condition("a", "all_of", [1, 2])), all_of(condition("a", "any_of", [2])), INSIDE),
        (either(A, B), all_of(A), AROUND),
        (all_of(A), all_of(B), NONE),
        (all_of(condition("a", "gte", 50)), all_of(condition("a", "gte", 20)), NONE),
        (all_of(A, condition("a", "neq")), all_of(B), NONE),
        (either(A, condition("a", "neq")), all_of(B), NONE),
        ({}, all_of(A), NONE),
    ],
)
def test_rules_are_compared_by_logic(first, second, relation):
    assert relation_of(first, second) is relation


def test_related_groups_are_compared_whatever_the_order_inside():
    def related(mode, *rules, **match):
        return all_of(
            {"field": "account.x", "operator": "match", "match": {"mode": mode, **match}, "value": all_of(*rules)}
        )

    assert relation_of(related("some", A, B), related("some", B, A)) is SAME
    assert relation_of(related("at_least", A, threshold=1), related("some", A)) is EQUAL
    assert relation_of({**related("some", A), "not": True}, related("none", A)) is EQUAL
    assert relation_of(related("some", A, B), related("some", A)) is NONE


RULES = st.recursive(
    st.sampled_from([A, B, C, condition("a", "neq"), condition("b", "in", [1, 2]), condition("c", "not_in", [1, 2])]),
    lambda inner: st.builds(
        lambda way, rules, negated: {"combinator": way, "rules": rules, **({"not": True} if negated else {})},
        st.sampled_from(["and", "or"]),
        st.lists(inner, min_size=1, max_size=3),
        st.booleans(),
    ),
    max_leaves=8,
)


def holds(node, values):
    """Judge a rule of the strategy above, plainly."""
    if "combinator" in node:
        parts = [holds(rule, values) for rule in node["rules"]]
        return (all(parts) if node["combinator"] == "and" else any(parts)) != bool(node.get("not"))
    value, wanted = values[node["field"][-1]], node["value"] if isinstance(node["value"], list) else [node["value"]]
    return (value in wanted) == (node["operator"] in ("eq", "in"))


@given(RULES, RULES)
@settings(max_examples=300, deadline=None)
def test_what_logic_finds_holds_for_every_record(first, second):
    first, second = all_of(first), all_of(second)
    relation = relation_of(first, second)
    rows = [dict(zip("abc", values, strict=True)) for values in itertools.product([None, 1, 2], repeat=3)]
    one, two = [holds(first, row) for row in rows], [holds(second, row) for row in rows]
    if relation in (SAME, EQUAL):
        assert one == two
    if relation is INSIDE:
        assert all(b for a, b in zip(one, two, strict=True) if a)
    if relation is AROUND:
        assert all(a for a, b in zip(one, two, strict=True) if b)


# --- segments ---
@pytest.fixture
def admin(db, client):
    user = UserFactory(username="boss", role=Role.ADMIN)
    client.force_login(user)
    return user


@pytest.fixture
def sizes(admin):
    """Return segments of accounts with at least 10, 50 and 100 employees; five accounts."""
    for count in (5, 20, 60, 100, 500):
        AccountFactory(employee_count=count, name=f"Of {count}")
    return [built(larger_than(n), f"From {n}", user=admin) for n in (10, 50, 100)]


def test_overlap_counts_each_combination(sizes, admin):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        found = overlap_of(sizes, admin)
    assert len([q for q in queries if "segments_segmentmembership" in q["sql"]]) == len(sizes)
    assert found.counts == [4, 3, 2]
    assert {(region.mask, region.count) for region in found.regions} == {(0b111, 2), (0b011, 1), (0b001, 1)}
    assert (found.total, found.outside) == (5, 1)
    pair = found.pair(2, 0)
    assert (pair.first.name, pair.both, pair.either, pair.similarity) == ("From 100", 2, 4, 0.5)
    assert found.pair(1, 1) is None
    assert [one.kind for one in found.findings] == ["inside", "inside", "inside"]
    assert "2 accounts in “From 100” is also in “From 10”, which has 4" in found.findings[1].text


def test_overlap_finds_equal_members_and_rules(admin):
    AccountFactory(employee_count=100, country="DE")
    german = {"field": "account.country", "operator": "eq", "value": "DE"}
    large = {"field": "account.employee_count", "operator": "gte", "value": 50}
    one = built(all_of(german, large), "One", user=admin)
    two = built(all_of(all_of(large), german), "Two", user=admin)
    three = built(all_of(german), "Three", user=admin)
    kinds = {(f.first.name, f.second.name): f for f in overlap_of([one, two, three], admin).findings}
    assert kinds["One", "Two"].kind == "equal_members"
    assert "written differently and ask the same" in kinds["One", "Two"].text
    assert kinds["One", "Three"].kind == "equal_members"
    assert "may part" in kinds["One", "Three"].advice
    AccountFactory(employee_count=3, country="DE")
    rebuild_segment(three.pk)
    inside = next(f for f in overlap_of([one, three], admin).findings)
    assert (inside.kind, inside.advice) == ("inside", "It is always so: its rule asks for all that the other does.")
    SegmentMembership.objects.filter(segment=two).delete()
    assert overlap_of([one, two], admin).findings[0].kind == "equal_rules"


def test_overlap_is_of_what_one_may_see(db):
    alice, bob, charlie = three_people()
    AccountFactory(owner=alice, employee_count=100)
    AccountFactory(owner=charlie, employee_count=70)
    segments = [built(larger_than(90), "Large"), built(larger_than(50), "Medium")]
    for user, counts, total in ((alice, [1, 1], 1), (bob, [1, 1], 1), (charlie, [0, 1], 1)):
        found = overlap_of(segments, user)
        assert (found.counts, found.total) == (counts, total)
        body = caller(user).get("/api/v1/segments/overlap/?segments=large,medium").json()
        assert [one["count"] for one in body["segments"]] == counts
    assert nearest(segments[0], charlie).pairs == []
    assert nearest(segments[0], alice).pairs[0].both == 1


def test_deleted_records_are_in_no_overlap(sizes, admin):
    from accounts.models import Account
    from accounts.services.deletion import delete_record

    delete_record(Account.objects.get(employee_count=500))
    assert overlap_of(sizes, admin).counts == [3, 2, 1]


def test_chosen_says_what_cannot_be_compared(sizes, admin):
    people = saved(
        {"combinator": "and", "rules": [{"field": "contact.country", "operator": "is_set"}]},
        "People",
        admin,
        member_type="contact",
    )
    assert [one.name for one in chosen(admin, ["from-50", str(sizes[0].pk), "from-50"])] == ["From 50", "From 10"]
    for names, words in (
        (["from-10"], "at least two"),
        (["from-10", "nothing"], "no segment “nothing”"),
        (["from-10", people.slug], "“From 10” holds accounts and “People” contacts"),
    ):
        with pytest.raises(CannotCompare, match=words):
            chosen(admin, names)
    many = [saved(larger_than(n), f"Many {n}", admin).slug for n in range(13)]
    with pytest.raises(CannotCompare, match="At most 12 segments"):
        chosen(admin, many)
    Segment.objects.filter(pk=sizes[0].pk).update(status="archived")
    with pytest.raises(CannotCompare, match="is archived"):
        chosen(admin, ["from-10", "from-50"])


# --- page and API ---
def text_of(client, name, *args, **query):
    answer = client.get(reverse(f"segments:{name}", args=args), query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_figure_leads_to_exactly_its_records(client, sizes, admin):
    answer = client.get(reverse("segments:overlaps"), {"segments": "from-10,from-50,from-100"})
    rows = answer.context["listed"]
    assert [row.count for row in rows] == [2, 1, 1]
    links = [(row.count, row.url) for row in rows] + [(1, answer.context["outside_url"])]
    for count, url in links:
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        resolved = lists.resolve(lists.get("account"), admin, query)
        assert (resolved.errors, resolved.queryset.count()) == ([], count)
        assert client.get(url).status_code == 200
    assert json.loads(parse_qs(urlsplit(rows[0].url).query)["rules"][0])["combinator"] == "and"


def test_overlap_page_shows_chart_table_and_likeness(client, sizes):
    text = text_of(client, "overlaps", segments="from-10,from-50,from-100")
    for words in (
        "Who is in exactly which",
        'aria-label="2 accounts in From 10, From 50 and From 100"',
        "As a table",
        "1 account in From 10, and in none of the other 2",
        "One too many?",
        "50 %",
        "<circle",
    ):
        assert words in text
    assert text.count("Jaccard") == 1
    assert "style=" not in text.split("<main", 1)[1].split("</main>")[0]


def test_overlap_page_says_what_to_do(admin, client):
    assert "nothing to compare yet" in text_of(client, "overlaps")
    saved(larger_than(1), "One", admin)
    saved(larger_than(2), "Two", admin)
    assert "Choose at least two segments" in text_of(client, "overlaps")
    assert "There is no segment “gone”" in text_of(client, "overlaps", segments="one,gone")
    text = text_of(client, "overlaps", segments="one,two")
    assert "was not built yet" in text
    assert "Nobody is in any of them" in text


def test_overlap_tab_shows_what_is_most_alike(client, sizes, admin):
    built(larger_than(100_000), "Nobody", user=admin)
    text = text_of(client, "overlap", "from-10")
    assert "hx-get" in text
    text = text_of(client, "overlap", "from-10", part="figures")
    rows = text.split("Most alike")[1]
    assert rows.index("From 50") < rows.index("From 100")
    assert "1 segment shares nobody with it" in text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segments.overlap.computing.MOST_READ", 2)
        found = nearest(sizes[0], admin)
    assert (len(found.pairs), found.left_out) == (1, 1)


def test_api_overlap(sizes, admin):
    client = caller(admin)
    body = client.get("/api/v1/segments/overlap/?segments=from-10,from-50").json()
    assert body["intersections"] == [{"in": ["from-10", "from-50"], "count": 3}, {"in": ["from-10"], "count": 1}]
    assert body["pairs"][0] == {"first": "from-10", "second": "from-50", "both": 3, "either": 4, "similarity": 0.75}
    assert body["findings"][0]["kind"] == "inside"
    refused = client.get("/api/v1/segments/overlap/?segments=from-10,zzz")
    assert refused.status_code == 400
    assert "zzz" in str(refused.json())
    assert client.get("/api/v1/segments/overlap/?segments=from-10,from-50&x=1").status_code == 400
