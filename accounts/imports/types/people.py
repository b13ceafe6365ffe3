"""Users from files: inactive and without password."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils.text import slugify

from segmentation_crm.common.models import Role, Team, User

from ...services.money import RateBook
from ..drafts import Draft
from ..formats import Email
from ..resolvers import Deferred, Lookup
from ..targets import Choice, FullName, Target, Text
from .base import ImportType


class TeamTarget(Deferred):
    """A team by name; an unknown one is added, with a warning."""

    def resolve(self, texts: Iterable[str], lookup: Lookup) -> dict[str, Any]:
        known = lookup.known["team"]
        missing = {text for text in texts if text not in known}
        if missing:
            known.update(Team.objects.filter(name__in=missing).values_list("name", "pk"))
            for name in sorted(missing - known.keys()):
                known[name] = Team.objects.create(name=name[:120]).pk
                lookup.added.append((self.key, name))
        return known


class Users(ImportType):
    """People who may log in once an admin activates them; by external id, e-mail, username or full name."""

    key, label, model, record_type = "users", "Users", User, "user"
    keys = (("external_id",), ("email",), ("username",), ("first_name", "last_name"))
    capability = "users.write"

    def declare(self) -> Iterable[Target]:
        yield Text("username", limit=150, aliases=("user_name", "login", "user"))
        yield Email("email", aliases=("e_mail", "email_address"))
        yield Text("first_name", limit=150, aliases=("firstname",))
        yield Text("last_name", limit=150, aliases=("lastname",))
        yield FullName("name", "Full name", aliases=("full_name", "sales_agent", "agent", "employee"))
        # An import never makes an admin.
        yield Choice("role", [choice for choice in Role.choices if choice[0] != Role.ADMIN])
        yield TeamTarget("team", aliases=("regional_office", "office", "team_name"))

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        for draft in drafts:
            columns = draft.columns
            if draft.external_id:
                columns["external_id"], columns["external_source"] = draft.external_id, lookup.source
            if not any(columns.get(name) for name in ("username", "email", "last_name", "first_name")):
                draft.reject("username", "missing_key", "A user needs a username, an e-mail address or a name.")

    def new_record(self, draft: Draft, book: RateBook) -> User:
        """Return an inactive viewer without password; the username follows from e-mail or name where not given."""
        columns = draft.columns
        name = f"{columns.get('first_name', '')} {columns.get('last_name', '')}".strip()
        base = columns.get("email") or slugify(name, allow_unicode=True).replace("-", ".") or "user"
        user = User(is_active=False, role=Role.VIEWER, password=make_password(None))
        if not columns.get("username"):
            user.username = _free_username(base[:140])
        return user


def _free_username(base: str) -> str:
    taken = set(User.objects.filter(username__startswith=base).values_list("username", flat=True))
    name, number = base, 2
    while name in taken:
        name, number = f"{base}.{number}", number + 1
    return name
