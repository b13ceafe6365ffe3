"""Keys as addresses and forms write them."""

import pytest

from segmentation_crm.common.keys import key_of, keys_of


@pytest.mark.parametrize(
    ("text", "key"),
    [("12", 12), ("0", 0), ("9" * 18, 10**18 - 1), ("9" * 19, None), ("", None), (None, None)]
    + [(text, None) for text in ("-1", "+1", " 1", "1.0", "1e3", "x", "\u0661", "\u00b2", "1\x00")],
)
def test_plain_digits_that_fit_are_a_key_and_nothing_else(text, key):
    assert key_of(text) == key


def test_what_is_no_key_is_passed_over():
    assert keys_of(["3", "x", "1", "9" * 30]) == [3, 1]
