"""Custom fields and their choices stay while a rule names them."""

import pytest
from django.core.exceptions import ValidationError

from accounts.services.custom_fields import change_custom_field, create_custom_field, delete_custom_field
from segments.services.saving import archive_segment, update_segment

from .making import all_of, larger_than, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def field():
    return create_custom_field("account", "fleet", "Fleet", "enum", choices=["small", "large"])


def test_a_field_that_a_rule_names_is_not_deleted(field):
    rule = all_of({"field": "account.custom.fleet", "operator": "is_set"})
    segment = saved(rule, "Fleet owners")
    with pytest.raises(ValidationError, match="Segment “Fleet owners”"):
        delete_custom_field(field)
    update_segment(segment.owner, segment, {"rules": larger_than(1)})
    delete_custom_field(field)


def test_a_choice_that_a_rule_names_is_not_taken_away(field):
    segment = saved(all_of({"field": "account.custom.fleet", "operator": "in", "value": ["large"]}), "Large fleets")
    with pytest.raises(ValidationError, match="“large” is named by Segment “Large fleets”") as refused:
        change_custom_field(field, choices=["small"])
    assert "choices" in refused.value.message_dict
    change_custom_field(field, choices=["large"])
    archive_segment(segment.owner, segment)
