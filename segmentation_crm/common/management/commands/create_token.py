"""`manage.py create_token USERNAME`: make an API token and print it."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation_crm.common.access import SCOPES
from segmentation_crm.common.models import User
from segmentation_crm.common.services.tokens import MAX_DAYS, create_token


class Command(BaseCommand):
    """Print a new token of a user; it is stored hashed and cannot be shown again."""

    help = "Create an API token for a user and print it; send it as `Authorization: Token …`."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("username")
        parser.add_argument("--name", default="Command line", help="what the token is for, up to 80 characters")
        parser.add_argument(
            "--scope",
            action="append",
            choices=SCOPES,
            help=f"may be given several times; default all: {', '.join(SCOPES)}",
        )
        parser.add_argument(
            "--days", type=int, default=90, help=f"until it expires, 1 to {MAX_DAYS}; 0: never (default: 90)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token (3 queries) and print it alone on standard output.

        Raises CommandError for an unknown or inactive user, a bad name or number of days.
        """
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}.")
        scopes = list(dict.fromkeys(options["scope"] or SCOPES))
        days = None if options["days"] == 0 else options["days"]
        try:
            _, text = create_token(user, name=options["name"], scopes=scopes, days=days)
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(text)
