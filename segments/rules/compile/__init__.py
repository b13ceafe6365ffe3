"""The compiler: rule nodes to Django queries, the same meaning on SQLite and PostgreSQL.

`compile_rule` gives one Q for pages and restricted sets of keys; `evaluate` in `segments.rules.evaluate` reads whole
sets atom by atom. Both render the same verdicts. No test joins a table that could repeat a member.
"""

from datetime import datetime

from django.db.models import Q

from ..clock import Clock
from ..nodes import Rule
from .groups import compile_node
from .places import member_place, members
from .verdicts import as_q


def compile_rule(rule: Rule, as_of: datetime | Clock | None = None) -> Q:
    """Return the rule as one test over the queryset of its member type.

    Pure when given a Clock; else 1 query for the organisation's settings. Every part is TRUE or FALSE, never NULL.
    """
    clock = as_of if isinstance(as_of, Clock) else Clock.at(as_of)
    return as_q(compile_node(rule.root, member_place(rule.member_type), clock))


__all__ = ["Clock", "compile_node", "compile_rule", "member_place", "members"]
