"""The fixture `judged`: a generated world that lasts for a test module, with its oracle and its clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import connection, transaction

from segmentation_crm.common.fields import registry
from segments.models import Segment
from segments.rules.clock import Clock
from segments.rules.evaluate import Evaluation, evaluate, member_queryset
from segments.rules.nodes import Rule
from tests.oracle import Oracle, load_world
from tests.rule_strategies import World

from . import pools
from .generate import AS_OF, Generator


@dataclass
class Judged:
    """A world, who judges it, and what rules may name in it."""

    oracle: Oracle
    clock: Clock
    names: World

    def verdicts(self, rule: Rule) -> tuple[set[int], set[int], Evaluation]:
        """Return the members by the oracle, by one query, and the evaluation by bitmaps."""
        with transaction.atomic():
            queried = list(member_queryset(rule, self.clock).values_list("pk", flat=True))
            assert len(queried) == len(set(queried)), "a member came twice"
            return self.oracle.members(rule), set(queried), evaluate(rule, self.clock)

    def total(self, member_type: str) -> int:
        """Return how many members exist."""
        return len(self.oracle.universe(member_type))


def names_in(generator: Generator) -> World:
    """Return what rules may name: ids of everything that fields point to, segments, and values of the pools."""
    fields = [*registry.fields(), *(extra for relation in registry.relations.values() for extra in relation.extra)]
    references: dict[str, Any] = {}
    for field in fields:
        source = field.source
        if not field.target or field.target in references:
            continue
        model = None
        if field.target.startswith("term:"):
            model = generator.model("accounts.Term")
        elif field.target.startswith("code:"):
            model = generator.model("accounts.IndustryCode")
        elif field.target == "technology_product":
            model = generator.model("accounts.TechnologyProduct")
        elif hasattr(source, "name") and field.type == "reference":
            record = generator.model(registry.records[field.record].model)
            steps = source.args if getattr(source, "args", ()) else (source.name,)
            for step in steps:
                record = record._meta.get_field(step).related_model
            model = record
        if model is not None:
            references[field.target] = generator.keys(model, field.target)[:8]
    segments: dict[str, list[str]] = {}
    for segment in Segment.objects.order_by("pk"):
        segments.setdefault(segment.member_type, []).append(segment.slug)
    days = [d.isoformat() for d in pools.DATES if d]
    moments = [m.isoformat() for m in pools.MOMENTS if m]
    return World(
        references=references,
        segments=segments,
        texts=[text for text in pools.TEXTS if text.strip()] + ["a", "sales", "100", "ist", "straß", "senior"],
        integers=[0, 1, 2, 3, 5, 10, 11, 50, 200, 201, 1000, 2000, 20_000],
        decimals=[0, 0.1, 0.2, 0.3, 0.25, 0.333333, 0.5, 0.65, 1, 2.5, 33.33, 100, -5, 1000000, 1000000.3],
        dates=[*days, *moments],
        custom=tuple(f for f in registry.fields() if ".custom." in f.key),
    )


@pytest.fixture(scope="module")
def judged(django_db_setup: None, django_db_blocker: Any) -> Iterator[Judged]:
    """Build a world once for the module; everything is rolled back at its end."""
    with django_db_blocker.unblock(), transaction.atomic():
        generator = Generator(seed=7)
        generator.build()
        with connection.cursor() as cursor:
            # Rows this new are unknown to the planner. Our tables only: the server's shared ones stay locked until the
            # end of the transaction, and other test processes analyse too.
            for table in connection.introspection.django_table_names(only_existing=True):
                cursor.execute(f'ANALYZE "{table}"')
        yield Judged(Oracle(load_world(), AS_OF), Clock.at(AS_OF), names_in(generator))
        transaction.set_rollback(True)
