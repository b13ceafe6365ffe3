"""Create and end API tokens."""

from collections.abc import Sequence
from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import transaction

from ..access import SCOPES, AnyUser
from ..models import ApiToken, User
from . import audit

MAX_DAYS = 3650


def create_token(
    user: User,
    *,
    name: str,
    scopes: Sequence[str] = ("read", "write"),
    days: int | None = 90,
    actor: AnyUser | None = None,
) -> tuple[ApiToken, str]:
    """Create a token and return it with its text, which is shown this once and stored only as a hash (2 queries).

    days: until it expires, or None for a token without end. Raises ValidationError naming the field.
    """
    name = name.strip()
    if not name or len(name) > 80:
        raise ValidationError({"name": "Give the token a name of 1 to 80 characters."})
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown or not scopes:
        raise ValidationError({"scopes": f"Choose at least one of {', '.join(SCOPES)}."})
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise ValidationError({"days": f"Days must lie between 1 and {MAX_DAYS}."})
    if not user.is_active:
        raise ValidationError({"user": f"{user.username} is deactivated."})
    expiry = timedelta(days=days) if days is not None else None
    with transaction.atomic():
        token, text = ApiToken.objects.create(user, expiry=expiry, name=name, scopes=list(scopes))
        audit.record(actor or user, "token.created", user, name=name, scopes=list(scopes), days=days)
    return token, text


def revoke_token(token: ApiToken, actor: AnyUser) -> None:
    """End a token at once (2 queries)."""
    with transaction.atomic():
        audit.record(actor, "token.revoked", token.user, name=token.name)
        token.delete()
