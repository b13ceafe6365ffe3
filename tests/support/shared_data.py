"""The real data sets, read from $SHARED_DATA; never copied."""

import os
from pathlib import Path

import pytest
from django.conf import settings


def shared_data(folder: str, required: bool = False) -> Path:
    """Return a data set's folder; with `required`, skip loudly where it is absent (in CI: fail)."""
    path = settings.SHARED_DATA / folder
    if required and not path.exists():
        reason = f"{path} is absent: set SHARED_DATA to the folder of the real data sets"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
