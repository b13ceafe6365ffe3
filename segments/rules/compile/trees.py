"""Trees: vocabularies kept by users and the public industry codes. `path` leads from the root to the node."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Left, Length
from django.db.models.lookups import Exact

from accounts.models import IndustryCode, Term


def descendants(target: str, ids: Iterable[int]) -> QuerySet[Any]:
    """Return the ids of the nodes and of all below them (lazy; a small table, so the database hashes it)."""
    if target.startswith("code:"):
        start = Exact(Left(OuterRef("path"), Length(F("path"))), F("path"))
        above = IndustryCode.objects.filter(Q(start), pk__in=list(ids), system=OuterRef("system")).exclude(path="")
        return IndustryCode.objects.filter(Q(Exists(above)) | Q(pk__in=list(ids))).order_by().values("pk")
    wanted = Q(pk__in=list(ids))
    for node_id in ids:
        # Ids stand between slashes, so a part of a longer number never matches.
        wanted |= Q(("path__contains", f"/{node_id}/"))
    return Term.objects.filter(wanted).order_by().values("pk")
