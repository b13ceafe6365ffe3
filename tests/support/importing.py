"""Run the import command as a person would and read its last line."""

import io
import json
from pathlib import Path
from typing import Any

from django.core.management import call_command


def import_data(path: Path, type_: str, *options: str) -> dict[str, Any]:
    """Import a file and return the JSON of the command's last line."""
    out = io.StringIO()
    call_command("import_data", str(path), "--as", type_, *options, stdout=out)
    return json.loads(out.getvalue().strip().splitlines()[-1])
