"""Load or remove the demo story."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation_crm import demo


class Command(BaseCommand):
    """`manage.py demo load` plays the demo story once; `manage.py demo remove` deletes exactly its records."""

    help = "Load the demo story once, or remove exactly its records."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the one argument."""
        parser.add_argument("act", choices=("load", "remove"), nargs="?", default="load")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        if options["act"] == "remove":
            self.stdout.write(str(demo.remove()))
            return
        try:
            loaded = demo.load()
        except (demo.NoPipeline, ValueError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"Demo story loaded: {loaded}." if loaded else "The demo story is there already.")
        self.stdout.writelines(demo.log_in_lines())
