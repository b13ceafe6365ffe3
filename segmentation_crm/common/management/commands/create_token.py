"""`manage.py create_token USERNAME`: make an API token and print it."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from segmentation_crm.common.access import SCOPES
from segmentation_crm.common.models import ApiToken, User


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
        parser.add_argument("--days", type=int, help="ends after so many days; default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the token (2 queries) and print it alone on standard output.

        Raises CommandError for an unknown or inactive user, or a validity below one day.
        """
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}.")
        if not user.is_active:
            raise CommandError(f"{user.username} is not active; an inactive user's token would not work.")
        days = options["days"]
        if days is not None and not 1 <= days <= 36500:
            raise CommandError("--days takes 1 to 36500.")
        _, token = ApiToken.objects.create(
            user,
            expiry=timedelta(days=days) if days else None,
            name=options["name"][:80],
            scopes=list(dict.fromkeys(options["scope"] or SCOPES)),
        )
        self.stdout.write(token)
