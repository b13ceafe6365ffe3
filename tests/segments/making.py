"""Rules and segments for the tests of services, pages and API."""

from typing import Any

from segmentation_crm.common.models import Role, User
from segments.models import Segment
from segments.services.rebuilding import rebuild_segment
from segments.services.saving import create_segment
from tests.factories import TeamFactory, UserFactory


class NoChunks:
    """Stands for the job runner: remembers what was committed, never stops."""

    def __init__(self) -> None:
        self.commits: list[dict[str, Any]] = []

    def commit_chunk(self, **values: Any) -> None:
        self.commits.append(values)

    def check_cancelled(self) -> None:
        return None


def all_of(*rules: dict[str, Any]) -> dict[str, Any]:
    """Return a group that wants all of the rules."""
    return {"combinator": "and", "rules": list(rules)}


def larger_than(count: int) -> dict[str, Any]:
    """Return a rule for accounts of at least so many employees."""
    return all_of({"field": "account.employee_count", "operator": "gte", "value": count})


def in_segment(*slugs: str) -> dict[str, Any]:
    """Return a rule for accounts in one of the segments."""
    return all_of({"field": "segment", "operator": "in", "value": list(slugs)})


def saved(rules: dict[str, Any], name: str = "Large accounts", user: User | None = None, **values: Any) -> Segment:
    """Return a saved segment of accounts, not built yet."""
    author = user or UserFactory(role=Role.ADMIN)
    segment, _ = create_segment(
        author, name=name, member_type=values.pop("member_type", "account"), rules=rules, **values
    )
    return segment


def built(rules: dict[str, Any], name: str = "Large accounts", **values: Any) -> Segment:
    """Return a saved segment with its members computed."""
    segment = saved(rules, name, **values)
    rebuild_segment(segment.pk)
    segment.refresh_from_db()
    return segment


def member_ids(segment: Segment) -> set[int]:
    """Return the keys of the stored members."""
    return {row.record_id for row in segment.members()}


def three_people() -> tuple[User, User, User]:
    """Return alice, a rep; bob, the manager of her team; charlie, a rep elsewhere."""
    team = TeamFactory()
    alice = UserFactory(username="alice", role=Role.SALES_REP, team=team)
    bob = UserFactory(username="bob", role=Role.SALES_MANAGER, team=team)
    charlie = UserFactory(username="charlie", role=Role.SALES_REP, team=TeamFactory())
    return alice, bob, charlie
