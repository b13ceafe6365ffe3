"""Every factory makes a row that the database accepts, and every model of records has one."""

import factory
import pytest
from django.apps import apps

from accounts.models import CaptureVersion, ChangeRow
from tests import factories

ALL = [
    found
    for found in vars(factories).values()
    if isinstance(found, type)
    and issubclass(found, factory.django.DjangoModelFactory)
    and found is not factory.django.DjangoModelFactory
]


@pytest.mark.django_db
@pytest.mark.parametrize("made_by", ALL, ids=lambda found: found.__name__)
def test_factory_makes_a_valid_row(made_by):
    """The row is stored and passes the validation of its model."""
    made = made_by()
    made.full_clean()
    assert isinstance(str(made), str)


def test_every_model_of_records_has_a_factory():
    """A model added without a factory fails here; imports and change capture bring their own rows."""
    made = {found._meta.model for found in ALL} | {ChangeRow, CaptureVersion}
    missing = {
        model.__name__
        for model in apps.get_app_config("accounts").get_models()
        if model not in made and not model._meta.auto_created and not model.__name__.startswith("Import")
    }
    assert missing == set()
