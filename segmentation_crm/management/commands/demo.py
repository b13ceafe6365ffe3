"""Load or remove the demo data."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from segmentation_crm import demo


class Command(BaseCommand):
    """`manage.py demo` loads the demo data once; `manage.py demo --remove` deletes exactly its records."""

    help = "Load the demo data once, or remove exactly its records."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the one option."""
        parser.add_argument("--remove", action="store_true", help="delete the demo records instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        if options["remove"]:
            self.stdout.write(f"{demo.remove()} demo records removed.")
        elif demo.load():
            self.stdout.write("Demo data loaded.")
        else:
            self.stdout.write("The demo data is there already.")
