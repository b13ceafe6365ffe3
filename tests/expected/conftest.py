"""Each data set is imported once for its module, in a transaction that is rolled back at the end."""

from collections.abc import Iterator

import pytest
from django.db import transaction


@pytest.fixture(scope="module")
def imported_once(django_db_setup: None, django_db_blocker) -> Iterator[None]:
    """Hold one transaction open for the module; each test's own is a savepoint inside it."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
