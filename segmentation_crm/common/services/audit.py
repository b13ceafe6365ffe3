"""Write the audit log."""

from typing import Any

from django.db.models import Model

from ..access import AnyUser
from ..models import AuditEntry, User


def _one_line(text: str, limit: int) -> str:
    # CR and LF in a logged value would let it pose as a second entry.
    return " ".join(text.split())[:limit]


def record(actor: AnyUser | None, action: str, target: Model | None = None, **details: Any) -> AuditEntry:
    """Append one entry in the caller's transaction (1 query)."""
    user = actor if isinstance(actor, User) else None
    return AuditEntry.objects.create(
        actor=user,
        actor_name=_one_line(user.display_name, 200) if user else "system",
        action=action,
        object_type=target._meta.label_lower if target is not None else "",
        object_id=str(target.pk) if target is not None else "",
        object_name=_one_line(str(target), 300) if target is not None else "",
        details=details,
    )
