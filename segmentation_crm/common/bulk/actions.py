"""What one can do to many records: the acts that apps contribute, and how they speak with the runner."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

from .. import extensions
from ..access import AnyUser, can
from ..models import BulkAct, User

GONE = "It is no longer there, or no longer visible to you."


@dataclass
class Outcome:
    """What came of some records: changed with what undo needs, how many were so already, refused with reasons."""

    changed: dict[int, Any] = field(default_factory=dict)
    unchanged: int = 0
    refused: dict[int, str] = field(default_factory=dict)

    def refuse_missing(self, asked: Sequence[int], found: Mapping[int, Any] | set[int]) -> None:
        """Refuse what was asked for and is not among those found."""
        self.refused.update({pk: GONE for pk in asked if pk not in found})


@dataclass(frozen=True)
class Doing:
    """One act under way: who acts, on what kind of record, with what."""

    act: BulkAct
    user: User

    @property
    def params(self) -> dict[str, Any]:
        """Return what the act's form gave."""
        return self.act.params

    @property
    def record(self) -> str:
        """Return the kind of record: account, contact …"""
        return self.act.record


class ActionForm(forms.Form):
    """What an act asks before it runs; `params` is kept as JSON and read by `apply`, maybe in another process."""

    def __init__(self, *args: Any, user: User, record: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user, self.record = user, record

    def params(self) -> dict[str, Any]:
        """Return what is to be done, as JSON; called once when the act starts, inside its transaction."""
        return dict(self.cleaned_data)

    def words(self) -> str:
        """Return what is to be done, to go before "on 12 contacts": "Set Tier to 1"."""
        raise NotImplementedError


@dataclass(frozen=True)
class ListAction:
    """One act on the records of a list.

    apply(doing, ids) writes a chunk inside the runner's transaction and returns its Outcome; it may be run again after
    a crash, and looks at the records as they are then: only what the user may see and change. undo(doing, {id: before})
    puts back what nobody has touched since; what it refuses stays and is listed. finish(doing) runs once at the end.
    capability is asked at every chunk. `sentence` says on the page what it does.
    """

    key: str
    label: str
    icon: str
    records: tuple[str, ...]
    capability: str
    apply: Callable[[Doing, Sequence[int]], Outcome]
    sentence: str
    form_class: type[ActionForm] | None = None
    undo: Callable[[Doing, Mapping[int, Any]], Outcome] | None = None
    finish: Callable[[Doing], object] | None = None
    verb: str = ""
    is_danger: bool = False


class UnknownAction(KeyError):
    """There is no such act on such records, or not for this user."""


def actions_for(record: str, user: AnyUser) -> list[ListAction]:
    """Return the acts on a kind of record that the user's role allows (0 queries)."""
    return [a for a in extensions.list_actions if record in a.records and can(user, a.capability)]


def action_named(key: str, record: str) -> ListAction:
    """Return the act of a key on a kind of record.

    Raises UnknownAction.
    """
    for action in extensions.list_actions:
        if action.key == key and record in action.records:
            return action
    raise UnknownAction(key)
