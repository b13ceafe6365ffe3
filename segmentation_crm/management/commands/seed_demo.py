"""Play the demo story in any size."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation_crm import demo
from segmentation_crm.demo.load import ACCOUNTS, MONTHS, SEED


class Command(BaseCommand):
    """`manage.py seed_demo --accounts 4000`: the story with more companies; the first ones stay the same."""

    help = "Play the demo story: the same seed gives the same records, dated back from today."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare size, length, seed, and whether to begin anew."""
        parser.add_argument("--accounts", type=int, default=ACCOUNTS, help=f"default {ACCOUNTS}")
        parser.add_argument("--months", type=int, default=MONTHS, help=f"default {MONTHS}")
        parser.add_argument("--seed", type=int, default=SEED)
        parser.add_argument("--fresh", action="store_true", help="remove the story that is there first")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run."""
        accounts, months = options["accounts"], options["months"]
        if not 1 <= accounts <= 200_000:
            raise CommandError("--accounts must lie between 1 and 200,000.")
        if not 1 <= months <= 120:
            raise CommandError("--months must lie between 1 and 120.")
        if options["fresh"]:
            self.stdout.write(str(demo.remove()))
        try:
            loaded = demo.load(accounts, months, options["seed"], say=self.stdout.write)
        except (demo.NoPipeline, ValueError) as error:
            raise CommandError(str(error)) from None
        if loaded is None:
            raise CommandError("The demo story is there already. Use --fresh to remove it first.")
        self.stdout.write(f"Demo story: {loaded}.")
        self.stdout.writelines(demo.log_in_lines())
