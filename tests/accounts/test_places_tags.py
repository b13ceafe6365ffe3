"""Countries are written by name."""

import pytest

from accounts.templatetags.places import country_name


@pytest.mark.parametrize(("code", "name"), [("IT", "Italy"), ("", ""), ("XX", "XX")])
def test_a_country_is_written_by_name(code, name):
    assert country_name(code) == name
