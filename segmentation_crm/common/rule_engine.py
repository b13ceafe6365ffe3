"""How lower apps use the rule language without knowing it: whoever evaluates rules provides an engine in `ready()`."""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from django.db.models import QuerySet

from .access import AnyUser


class BrokenRule(Exception):
    """A rule that does not validate; `errors` are `{"path", "field", "code", "message"}`, str() says them in words."""

    def __init__(self, errors: Sequence[dict[str, Any]]) -> None:
        self.errors = list(errors)
        super().__init__(" ".join(str(error["message"]) for error in self.errors))

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.errors)


class RuleTakesTooLong(Exception):
    """A rule that the database could not answer in the time a page has."""


class RuleEngine(Protocol):
    """What lists, exports and bulk acts ask of the rule language; `record` is the member type: account, contact …"""

    def validate(self, rules: Any, record: str, user: AnyUser) -> dict[str, Any]:
        """Return the rule as it is stored; names of records the user may not see are unknown.

        Raises BrokenRule with every error.
        """
        ...

    def sentence(self, rules: Any, record: str, user: AnyUser) -> str:
        """Return the rule in words, hidden records unnamed.

        Raises BrokenRule.
        """
        ...

    def restrict(self, queryset: QuerySet[Any], rules: Any, record: str) -> QuerySet[Any]:
        """Return the rows of the queryset for which the rule holds (lazy; validating costs a few queries).

        The verdict is over all rows, whoever looks. Raises BrokenRule.
        """
        ...

    def builder_url(self, record: str) -> str:
        """Return the address where a list's rule is built; it takes the list's parameters."""
        ...

    def segment_url(self, record: str) -> str:
        """Return the address where a rule becomes a segment, "" where segments have no such members."""
        ...

    def limited(self, seconds: float) -> AbstractContextManager[object]:
        """Run read-only queries under a time limit.

        Raises RuleTakesTooLong.
        """
        ...


_provided: list[RuleEngine] = []


def provide(found: RuleEngine) -> None:
    """Make this the engine; called once, in the AppConfig.ready() of the app that evaluates rules."""
    _provided[:] = [found]


def engine() -> RuleEngine:
    """Return the engine (0 queries).

    Raises RuntimeError where no app provides one.
    """
    if not _provided:
        raise RuntimeError("No app evaluates rules: provide an engine in AppConfig.ready().")
    return _provided[0]
