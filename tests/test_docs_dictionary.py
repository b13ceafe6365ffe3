"""docs/data-dictionary.md is what the registry says."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from segmentation_crm.common.fields import registry
from segments.rules.dictionary import data_dictionary
from segments.rules.operators import BY_TYPE

PAGE = Path(settings.BASE_DIR) / "docs" / "data-dictionary.md"


def test_data_dictionary_is_up_to_date(capsys):
    call_command("data_dictionary", "--check")
    assert "up to date" in capsys.readouterr().out


def test_data_dictionary_check_fails_on_a_difference(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    (tmp_path / "docs").mkdir()
    with pytest.raises(CommandError, match="out of date"):
        call_command("data_dictionary", "--check")
    call_command("data_dictionary")
    call_command("data_dictionary", "--check")
    assert (tmp_path / "docs" / "data-dictionary.md").read_text() == data_dictionary()


def test_data_dictionary_names_every_field_relation_and_operator():
    words = set(re.findall(r"`([^`\s]+)`", PAGE.read_text()))
    fields = {f.key for f in registry.fields(custom=False)}
    derived = {key for key in fields if key.endswith((".source", ".source_type", ".age_days")) and key.count(".") > 1}
    assert fields - derived <= words
    assert set(registry.relations) <= words
    assert {name for table in BY_TYPE.values() for name in table} <= words
