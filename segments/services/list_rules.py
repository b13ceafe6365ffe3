"""The rule engine that lists, exports and bulk acts use through `segmentation_crm.common.rule_engine`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from segmentation_crm.common.access import AnyUser
from segmentation_crm.common.rule_engine import BrokenRule, RuleTakesTooLong

from ..choices import MemberType
from ..rules import deadline
from ..rules.clock import Clock
from ..rules.compile import compile_rule, members
from ..rules.nodes import InvalidRule, Rule
from ..rules.validate import validate
from ..sentences import words_for


class ListRules:
    """Rules over lists: validated, in words, and as a restriction of a queryset."""

    def validate(self, rules: Any, record: str, user: AnyUser) -> dict[str, Any]:
        """Return the canonical rule (queries of `rules.validate`).

        Raises BrokenRule with every error.
        """
        return _validated(rules, record, user).canonical

    def sentence(self, rules: Any, record: str, user: AnyUser) -> str:
        """Return the rule in words; records the user may not see stay unnamed.

        Raises BrokenRule.
        """
        return words_for(_validated(rules, record), user)

    def restrict(self, queryset: QuerySet[Any], rules: Any, record: str) -> QuerySet[Any]:
        """Return the rows for which the rule holds over all rows, whoever looks (lazy).

        Raises BrokenRule.
        """
        rule = _validated(rules, record)
        clock = Clock.at(None)
        holds = members(record, clock).filter(compile_rule(rule, clock))
        return queryset.filter(pk__in=holds.values("pk"))

    def builder_url(self, record: str) -> str:
        """Return the builder's address for a list's rule (0 queries)."""
        return reverse("segments:list_rule", args=[record])

    def segment_url(self, record: str) -> str:
        """Return the builder's address for a new segment, "" where segments have no such members (0 queries)."""
        return reverse("segments:new") if record in MemberType.values else ""

    @contextmanager
    def limited(self, seconds: float) -> Iterator[None]:
        """Stop read-only queries in the database after so long.

        Raises RuleTakesTooLong.
        """
        try:
            with deadline.limited(seconds) as limit:
                # PostgreSQL learns here how long its next query may take; SQLite watches by itself.
                limit.check()
                yield
        except deadline.RuleTooExpensive as slow:
            raise RuleTakesTooLong(str(slow)) from slow


def _validated(rules: Any, record: str, user: AnyUser | None = None) -> Rule:
    try:
        return validate(rules, record, user=user)
    except InvalidRule as invalid:
        raise BrokenRule([error.as_dict() for error in invalid.errors]) from invalid
