"""Bodies over the API: one meaning only, bounded, storable (R30, R31, R48–R50)."""

import io
import time
from types import SimpleNamespace

import pytest
from rest_framework.exceptions import ParseError, UnsupportedMediaType, ValidationError

from segmentation_crm.common.api.parsers import MAX_BODY_BYTES, BodyTooLarge, PathError, StrictJSONParser, parse_json


def read(raw: bytes, media_type: str = "application/json", **context):
    return StrictJSONParser().parse(io.BytesIO(raw), media_type, context)


def test_plain_values_pass():
    assert parse_json(b'{"a": [1, 1.5, true, null, "\xc3\xbc"]}') == {"a": [1, 1.5, True, None, "ü"]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b"\xff\xfe",
        b'"\xe9"',
        b'{"a": 1, "a": 2}',
        b'{"x": [{"a": 1, "a": 1}]}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 33 + b"]" * 33,
    ],
)
def test_r48_what_is_no_json_or_has_two_meanings_is_refused(raw):
    with pytest.raises(ParseError):
        parse_json(raw)


@pytest.mark.parametrize("item", [rb'"x\u0000"', rb'"\ud800"', b"1e999", b"NaN", b"Infinity", b"-Infinity"])
def test_r36_what_no_database_stores_is_refused_at_its_path(item):
    with pytest.raises(PathError) as refused:
        parse_json(b'{"a": {"b": [' + item + b"]}}")
    assert refused.value.path == ["a", "b", 0]
    assert isinstance(refused.value, ValidationError)


def test_a_key_that_cannot_be_stored_is_refused():
    with pytest.raises(PathError):
        parse_json(b'{"a\\u0000": 1}')


def test_32_levels_pass():
    assert parse_json(b"[" * 32 + b"]" * 32)


def test_r30_100_000_levels_are_refused_quickly():
    started = time.perf_counter()
    with pytest.raises(ParseError):
        parse_json(b"[" * 100_000)
    assert time.perf_counter() - started < 0.5


def test_r49_a_body_over_the_limit_is_refused_before_it_is_read():
    request = SimpleNamespace(META={"CONTENT_LENGTH": str(MAX_BODY_BYTES + 1)})
    with pytest.raises(BodyTooLarge):
        read(b"", request=request)


def test_r49_a_body_that_says_nothing_of_its_size_is_cut():
    with pytest.raises(BodyTooLarge):
        read(b'"' + b"x" * MAX_BODY_BYTES + b'"')


def test_a_view_may_take_more():
    raw = b'"' + b"x" * MAX_BODY_BYTES + b'"'
    assert len(read(raw, view=SimpleNamespace(max_body_bytes=2 * MAX_BODY_BYTES))) == MAX_BODY_BYTES


@pytest.mark.parametrize(
    "media_type", ["application/json", "application/json; charset=utf-8", 'application/json; charset="UTF-8"']
)
def test_utf_8_passes(media_type):
    assert read(b"1", media_type) == 1


def test_r50_another_charset_is_refused():
    with pytest.raises(UnsupportedMediaType):
        read(b"1", "application/json; charset=latin-1")
