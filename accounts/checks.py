"""What has to be in place before records are read from files."""

from importlib.util import find_spec
from typing import Any

from django.core.checks import CheckMessage, Error


def check_xml_guard(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to start without the library that keeps XML bombs and external entities out of workbooks (R13)."""
    if find_spec("defusedxml") is not None:
        return []
    return [
        Error(
            "The package defusedxml is not installed; workbooks cannot be read safely without it.",
            hint="Install the requirements: uv pip sync requirements.txt",
            id="accounts.E002",
        )
    ]
