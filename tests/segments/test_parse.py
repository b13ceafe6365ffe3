"""Rule bodies from bytes: one meaning, bounded, nothing that a database would choke on."""

import json
import time
from contextlib import suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from segments.rules.nodes import InvalidRule
from segments.rules.parse import MAX_BYTES, MAX_DEPTH, parse_rule_json


def _codes(raw):
    with pytest.raises(InvalidRule) as caught:
        parse_rule_json(raw)
    return [(error.code, list(error.path)) for error in caught.value.errors]


def test_parse_reads_bytes_and_text():
    assert parse_rule_json(b'{"a": [1, 2.5, "x"]}') == {"a": [1, Decimal("2.5"), "x"]}
    assert parse_rule_json('{"a": null}') == {"a": None}


@pytest.mark.parametrize("raw", [b"", b"{", b"[1,]", b"nul", b'{"a" 1}', b"1 2"])
def test_parse_refuses_broken_json(raw):
    assert _codes(raw) == [("bad_json", [])]


@pytest.mark.parametrize("raw", [b"NaN", b"Infinity", b"1" * 61, b"1e" + b"9" * 60])
def test_parse_refuses_numbers_that_are_none(raw):
    assert _codes(raw) == [("bad_number", [])]


def test_parse_refuses_infinite_numbers_at_their_path():
    assert _codes(b'{"a": [1, -Infinity]}') == [("bad_number", ["a", 1])]


def test_parse_refuses_bad_utf8():
    assert _codes(b'{"a": "\xff"}') == [("bad_encoding", [])]


@pytest.mark.parametrize("raw", [b'{"a": ["\\u0000"]}', b'{"a": ["\\ud800"]}'])
def test_parse_refuses_nul_and_lone_surrogates_at_their_path(raw):
    assert _codes(raw) == [("bad_text", ["a", 0])]


def test_parse_refuses_a_key_named_twice_at_its_path():
    assert _codes(b'{"rules": [{"not": true, "not": false}]}') == [("duplicate_key", ["rules", 0])]


def test_parse_refuses_more_than_256_kib():
    assert _codes(b'"' + b"a" * MAX_BYTES + b'"') == [("too_large", [])]


@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_parse_refuses_deep_nesting_fast(opening):
    raw = (opening * (MAX_BYTES // len(opening))).encode()
    began = time.perf_counter()
    assert _codes(raw) == [("too_deep", [])]
    assert time.perf_counter() - began < 0.05


def test_parse_takes_the_deepest_legal_text():
    raw = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert parse_rule_json(raw) is not None
    assert _codes("[" + raw + "]") == [("too_deep", [])]


def test_parse_does_not_count_brackets_inside_texts():
    assert parse_rule_json(json.dumps({"a": "[{" * 100 + '\\"['})) == {"a": "[{" * 100 + '\\"['}


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300)))
def test_parse_raises_nothing_but_invalid_rule(raw):
    with suppress(InvalidRule):
        parse_rule_json(raw)
