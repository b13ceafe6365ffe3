"""Deactivate a user: sessions and tokens end at once, open work goes to somebody."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from ..access import AnyUser
from ..extensions import handovers
from ..models import ApiToken, Role, User
from . import audit


class Handover(Protocol):
    """What an app lets a user hold open; registered at `extensions.handovers`."""

    name: str  # "open opportunities"

    def count(self, user: User) -> int:
        """Return how many the user holds."""

    def move(self, user: User, successor: User) -> int:
        """Give all of them to the successor; return how many."""


@dataclass(frozen=True)
class OwnedRows:
    """A Handover over rows that name their holder in one column; `rows` returns the open ones."""

    name: str
    rows: Callable[[], QuerySet[Any]]
    column: str = "owner"

    def count(self, user: User) -> int:
        """Return how many open rows the user holds (1 query)."""
        return self.rows().filter(**{self.column: user}).count()

    def move(self, user: User, successor: User) -> int:
        """Give the user's open rows to the successor (1 query)."""
        return self.rows().filter(**{self.column: user}).update(**{self.column: successor})


@dataclass(frozen=True)
class Holding:
    """One kind of open work and how much of it a user holds."""

    name: str
    count: int


def holdings(user: User) -> list[Holding]:
    """Return what the user holds open, by kind (1 query a kind)."""
    return [Holding(handler.name, handler.count(user)) for handler in handovers]


def invitation_path(user: User) -> str:
    """Return the address at which the user chooses a first password (0 queries).

    It holds for PASSWORD_RESET_TIMEOUT and once: the token is bound to the password's hash and the last log-in.
    """
    parts = {"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)}
    return reverse("account_reset_password_from_key", kwargs=parts)


def end_sessions(user: User) -> int:
    """End every session of the user; return how many."""
    ended = 0
    # Sessions hold the user's id only inside their encoded data, so all live ones are read.
    for session in Session.objects.filter(expire_date__gt=timezone.now()).iterator(chunk_size=500):
        if session.get_decoded().get("_auth_user_id") == str(user.pk):
            session.delete()
            ended += 1
    return ended


def end_access(user: User) -> int:
    """End the API tokens of a user whose password was changed, reset or taken away; return how many (2 queries).

    Sessions need no ending here: they are bound to the hash of the password and end with it.
    """
    with transaction.atomic():
        ended, _ = ApiToken.objects.filter(user=user).delete()
        audit.record(None, "user.password_changed", user, tokens_ended=ended)
    return ended


def deactivate_user(user: User, *, successor: User | None, actor: AnyUser) -> list[Holding]:
    """Deactivate the user and give open records, segments and tasks to the successor.

    Closed deals keep their owner. Returns what moved, by kind. Raises ValidationError naming the field: the last
    admin stays; a successor must be active and is needed while anything is held.
    """
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user.pk)
        if user.pk == getattr(actor, "pk", None):
            raise ValidationError({"user": "You cannot deactivate yourself."})
        admins = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=user.pk)
        if user.role == Role.ADMIN and not admins.exists():
            raise ValidationError({"user": "The last admin cannot be deactivated: make another admin first."})
        held = [holding for holding in holdings(user) if holding.count]
        if held and successor is None:
            what = ", ".join(f"{h.count} {h.name}" for h in held)
            raise ValidationError({"successor": f"Choose who takes over {what}."})
        moved = []
        if successor is not None:
            if not successor.is_active or successor.pk == user.pk:
                raise ValidationError({"successor": "Choose another, active user."})
            moved = [Holding(handler.name, handler.move(user, successor)) for handler in handovers]
        user.is_active = False
        user.save()
        ApiToken.objects.filter(user=user).delete()
        end_sessions(user)
        audit.record(
            actor,
            "user.deactivated",
            user,
            successor=successor.username if successor else "",
            moved={h.name: h.count for h in moved},
        )
    return [holding for holding in moved if holding.count]
