"""`manage.py export_segments [SLUG …]`: definitions of segments as YAML or JSON."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation_crm.common.models import Role, User

from ...definitions import FORMATS, CannotExport, document_of, dumped


class Command(BaseCommand):
    """Write the definitions of segments, each after those it reads."""

    help = "Write the definitions of the segments named, and of those they read; of all in use where none is named."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("segments", nargs="*", help="slugs or ids")
        parser.add_argument("--format", choices=FORMATS, default="yaml")
        parser.add_argument("--output", default="", help="file to write; standard output where it is left out")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write the document.

        Raises CommandError for unknown segments, and where there is no active administrator to read as.
        """
        user = User.objects.filter(role=Role.ADMIN, is_active=True).order_by("pk").first()
        if user is None:
            raise CommandError("There is no active administrator. Make one with manage.py createsuperuser.")
        try:
            text = dumped(document_of(user, options["segments"]), options["format"])
        except CannotExport as problem:
            raise CommandError(str(problem)) from None
        if options["output"]:
            Path(options["output"]).write_text(text, encoding="utf-8")
        else:
            self.stdout.write(text, ending="")
