"""Write docs/data-dictionary.md from the registry, or check that it is up to date."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from segments.rules.dictionary import data_dictionary


class Command(BaseCommand):
    """`manage.py data_dictionary [--check]`."""

    requires_system_checks = ()
    help = "Write docs/data-dictionary.md from the declarations of fields; --check only compares."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add --check."""
        parser.add_argument("--check", action="store_true", help="fail when the page differs; write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write or compare the page.

        Raises CommandError where --check finds a difference.
        """
        path = Path(settings.BASE_DIR) / "docs" / "data-dictionary.md"
        text = data_dictionary()
        if not options["check"]:
            path.write_text(text, encoding="utf-8")
            self.stdout.write(f"Written: {path}")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            raise CommandError("docs/data-dictionary.md is out of date; run manage.py data_dictionary.")
        else:
            self.stdout.write("docs/data-dictionary.md is up to date.")
