"""What other apps suggest to edit is what the edit pages offer."""

import pytest

from accounts.forms import AccountForm, ContactForm
from accounts.services.editable import EDITABLE, is_editable
from segmentation_crm.common.fields import registry


@pytest.mark.parametrize(("record", "form"), [("account", AccountForm), ("contact", ContactForm)])
def test_the_edit_page_offers_exactly_these_fields(record, form):
    known = {field.name for field in registry.fields(record, custom=False)}
    assert set(form.base_fields) & known == EDITABLE[record]


def test_custom_fields_are_editable_and_computed_ones_are_not():
    assert is_editable("account", "custom.erp")
    assert not is_editable("account", "size_class")
    assert not is_editable("activity", "type")
