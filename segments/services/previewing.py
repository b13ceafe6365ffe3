"""Count a rule for somebody who is building it: two at once for each person, in at most 5 seconds each."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from django.core.cache import cache

from accounts.models import AccountTechnology, Activity, Need, Term
from accounts.queries import accounts_visible_to
from segmentation_crm.common.access import AnyUser

from ..rules.deadline import SECONDS
from ..rules.describe import describe_parts
from ..rules.methods import caution_about, methods_of
from ..rules.nodes import Rule
from ..rules.preview import PreviewResult, preview
from ..rules.sessions import resume

AT_ONCE = 2


class TooManyPreviews(Exception):
    """The person has two previews running already."""


@dataclass(frozen=True)
class Preview:
    """What the builder shows: the counts, the sentence in parts, a line for each of the sample, how long it took."""

    result: PreviewResult
    parts: list[dict[str, str]]
    sample_lines: list[str]
    duration_ms: float
    methods: list[str]
    caution: str


def count_rule(
    rule: Rule,
    user: AnyUser,
    as_of: date | datetime | None = None,
    *,
    undecided: bool = False,
    session: str = "",
) -> Preview:
    """Count a validated rule over the records the user may see; session: what the last preview gave.

    Raises BadSession, RuleTooExpensive after 5 seconds, TooManyPreviews while two others of the same user run.
    """
    pinned = resume(session) if session else None
    with slot(user):
        began = time.monotonic()
        result = preview(rule, rule.member_type, user, as_of, with_undecided=undecided, session=pinned)
        spent = (time.monotonic() - began) * 1000
    lines = _lines_of(rule.member_type, result.records, user)
    return Preview(result, describe_parts(rule), lines, round(spent, 1), methods_of(rule), caution_for(rule))


def caution_for(rule: Rule) -> str:
    """Return what a rule lacks that only says who they are, and what of it is recorded here; else "" (0–3 queries)."""
    caution = caution_about(rule)
    if not caution:
        return ""
    layers = {"activities": Activity, "needs": Need, "technologies": AccountTechnology}
    there = [words for words, model in layers.items() if model._default_manager.exists()]
    return f"{caution} Recorded here: {', '.join(there)}." if there else caution


def _lines_of(member_type: str, records: Sequence[Any], user: AnyUser) -> list[str]:
    """Return a second line for each record of the sample, "" where there is none (up to 1 query).

    A contact can be visible by its own owner while its account is not: that account is not named.
    """
    if member_type == "contact":
        wanted = {contact.account_id for contact in records if contact.account_id}
        names = dict(accounts_visible_to(user).filter(pk__in=wanted).values_list("pk", "name"))
        return [" · ".join(filter(None, (one.job_title, names.get(one.account_id)))) for one in records]
    if member_type == "account":
        wanted = {account.industry_id for account in records if account.industry_id}
        names = dict(Term.objects.filter(pk__in=wanted).values_list("pk", "name"))
        return [" · ".join(filter(None, (names.get(one.industry_id), one.city))) for one in records]
    return [""] * len(records)


@contextmanager
def slot(user: AnyUser) -> Iterator[None]:
    """Hold one of the user's two places; a crashed holder's place frees itself.

    Raises TooManyPreviews where both are taken.
    """
    held = None
    for number in range(AT_ONCE):
        key = f"preview-slot:{user.pk}:{number}"
        try:
            if cache.add(key, uuid4().hex, timeout=int(SECONDS * 3)):
                held = key
                break
        except Exception:
            # Without a cache nothing is counted; the time limit still holds.
            yield
            return
    if held is None:
        raise TooManyPreviews
    try:
        yield
    finally:
        cache.delete(held)
