"""The users of the story, one for each role and three reps, with generated passwords kept beside the admin's."""

import hashlib
import secrets
from pathlib import Path

from django.conf import settings
from django.db import models, transaction

from segmentation_crm.common.models import Role, Team, User
from segmentation_crm.embedded import write_private_file

from . import words
from .catalogue import SOURCE

FILE = "demo_passwords"


def demo_users() -> models.QuerySet[User]:
    """Return the users that belong to the story."""
    return User.objects.filter(external_source=SOURCE)


def make_users() -> dict[str, User]:
    """Return the story's users by username, made or woken up where they are missing or asleep.

    Whoever is new or had no valid password gets a generated one; once the transaction commits it stands in a file of
    mode 0600 under VAR_DIR, from where `up` prints it until it is changed. Raises ValueError for a taken username.
    """
    team, _ = Team.objects.get_or_create(name=words.TEAM)
    found: dict[str, User] = {}
    passwords: dict[str, tuple[str, str]] = {}
    for username, first_name, last_name, role, in_team in words.PEOPLE:
        user = User.objects.filter(username=username).first()
        if user is not None and user.external_source != SOURCE:
            raise ValueError(f"The username {username} is taken by a person; rename that user first.")
        if user is None:
            user = User(username=username, external_source=SOURCE, external_id=username)
        if user._state.adding or not user.is_active or not user.has_usable_password():
            user.is_active = True
            word = secrets.token_urlsafe(12)
            user.set_password(word)
            passwords[username] = (word, _mark(user))
        user.first_name, user.last_name, user.role = first_name, last_name, role
        user.team = team if in_team else None
        user.save()
        found[username] = user
    transaction.on_commit(lambda: _keep(passwords))
    return found


def reps(users: dict[str, User]) -> list[User]:
    """Return the sales reps of the story."""
    return [user for user in users.values() if user.role == Role.SALES_REP]


def remove_users() -> int:
    """Delete the story's users; whoever people gave records of their own sleeps instead. Return how many went."""
    gone = 0
    for user in demo_users():
        try:
            with transaction.atomic():
                user.delete()
                gone += 1
        except models.ProtectedError:
            user.is_active = False
            user.set_unusable_password()
            user.save()
    Team.objects.filter(name=words.TEAM, members=None, territories=None).delete()
    transaction.on_commit(lambda: _path().unlink(missing_ok=True))
    return gone


def known_passwords() -> dict[str, str]:
    """Return the generated passwords that still hold, by username (1 query)."""
    kept = _read()
    users = {user.username: user for user in demo_users().filter(username__in=kept, is_active=True)}
    valid = {name: word for name, word in kept.items() if name in users and _holds(users[name], *word)}
    if valid != kept:
        _write(valid)
    return {name: word for name, (word, _) in valid.items()}


def _holds(user: User, word: str, mark: str) -> bool:
    """Tell whether a password is the user's; the slow check is only for a hash that was renewed meanwhile."""
    return mark == _mark(user) or user.check_password(word)


def _mark(user: User) -> str:
    return hashlib.sha256(user.password.encode()).hexdigest()[:16]


def _path() -> Path:
    return Path(settings.VAR_DIR) / FILE


def _read() -> dict[str, tuple[str, str]]:
    path = _path()
    if not path.exists():
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {parts[0]: (parts[1], parts[2]) for parts in lines if len(parts) == 3}


def _keep(passwords: dict[str, tuple[str, str]]) -> None:
    if passwords:
        _write(_read() | passwords)


def _write(passwords: dict[str, tuple[str, str]]) -> None:
    path = _path()
    path.unlink(missing_ok=True)
    text = "".join(f"{name} {word} {mark}\n" for name, (word, mark) in passwords.items())
    if text:
        write_private_file(path, text)


def log_in_lines() -> list[str]:
    """Return a line for each user of the story whose generated password still holds, for the console."""
    roles = {name: str(Role(role).label) for name, _, _, role, _ in words.PEOPLE}
    return [f"  {name:<12} {word:<18} {roles.get(name, '')}\n" for name, word in known_passwords().items()]
