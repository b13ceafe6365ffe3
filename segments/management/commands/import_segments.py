"""`manage.py import_segments FILE`: make and change segments by a document."""

import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation_crm.common.models import User

from ...definitions import CONFLICTS, BadDocument, import_document, loaded


class Command(BaseCommand):
    """Take the definitions of a file in, all of them or none."""

    help = "Make and change segments by a JSON or YAML document; - reads standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("file")
        parser.add_argument("--user", required=True, help="username of who does it; becomes the owner of new ones")
        parser.add_argument("--on-conflict", choices=CONFLICTS, default="skip")
        parser.add_argument("--dry-run", action="store_true", help="show what would happen, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        """Take the document in and print what happened to each segment.

        Raises CommandError with every error and its path; nothing is changed then.
        """
        user = User.objects.filter(username=options["user"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['user']!r}.")
        try:
            raw = sys.stdin.buffer.read() if options["file"] == "-" else Path(options["file"]).read_bytes()
            document = loaded(raw)
            found = import_document(user, document, on_conflict=options["on_conflict"], dry_run=options["dry_run"])
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from None
        except (BadDocument, PermissionDenied) as problem:
            raise CommandError(str(problem)) from None
        if not found.ok:
            lines = [f"{'.'.join(map(str, one['path'])) or 'document'}: {one['message']}" for one in found.all_errors]
            raise CommandError("Nothing was changed.\n" + "\n".join(lines))
        for item in found.items:
            self.stdout.write(f"{item.action}: {item.slug}")
        if found.dry_run:
            self.stdout.write("A dry run: nothing was changed.")
