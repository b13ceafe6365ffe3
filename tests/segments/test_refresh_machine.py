"""Random rules, writes, refreshes and time: after every refresh the stored members are those of a rebuild.

STEPS=500 draws many. The meta-tests take away one trigger, one sliver, one dependency: each time members go wrong.
"""

import datetime as dt
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.capture import capture_triggers
from accounts.models import (
    AccountCustomValue,
    AccountValue,
    Activity,
    Consent,
    ContactAccount,
    ContactCustomValue,
    ContactValue,
    FieldHistory,
    OpportunityContact,
    Provenance,
)
from segmentation_crm.common.bulk_insert import bulk_insert
from segmentation_crm.common.effective_time import effective_time
from segmentation_crm.common.fields import registry
from segmentation_crm.common.triggers import drop
from segments.models import MembershipChange, RefreshState, Segment, SegmentMembership
from segments.rules.clock import Clock
from segments.rules.evaluate import member_bitmap
from segments.rules.parse import parse_rule_json
from segments.rules.validate import validate
from segments.services import collecting, storing
from segments.services.rebuilding import rebuild_segment
from segments.services.refreshing import refresh_until_done
from segments.wakes import slivers
from tests.rule_strategies import World, rules
from tests.segments.making import all_of, in_segment, larger_than
from tests.segments.rule_cases import dumps
from tests.worlds import pools
from tests.worlds.fixture import Judged

EXAMPLES = int(os.environ.get("STEPS", "12"))
SATELLITES = (AccountValue, ContactValue, AccountCustomValue, ContactCustomValue, Consent, FieldHistory, Provenance)
SATELLITES += (OpportunityContact, ContactAccount)
PASSES = [dt.timedelta(microseconds=1), dt.timedelta(hours=1), dt.timedelta(hours=9), dt.timedelta(days=1)]
PASSES += [dt.timedelta(days=n) for n in (7, 30, 31, 90, 170, 366)]


def written_models() -> list[type[models.Model]]:
    """Return the models that the machine writes to: every kind of record, and the rows that hang on them."""
    return [*(apps.get_model(record.model) for record in registry.records.values()), *SATELLITES]


class Machine:
    """A world that is written to while time passes, and the segments kept over it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = pools.AS_OF
        self.segments: list[Segment] = []
        self.log: list[str] = []
        RefreshState.objects.update_or_create(pk=1, defaults={"woken_at": None})
        self.refresh()

    def add(self, raw: dict[str, Any], member_type: str) -> Segment:
        """Save a segment and build it."""
        number = len(self.segments)
        rule = validate(parse_rule_json(dumps(raw)), member_type)
        segment = Segment.objects.create(
            name=f"Drawn {number}", slug=f"drawn-{number}", member_type=member_type, rules=rule.canonical
        )
        with effective_time(self.now):
            rebuild_segment(segment.pk)
        segment.refresh_from_db()
        self.segments.append(segment)
        return segment

    def refresh(self) -> None:
        """Refresh, letting time in."""
        with effective_time(self.now):
            refresh_until_done(wake=True)

    def check(self) -> None:
        """Compare the stored members of every segment with its rule, asked of everybody."""
        clock = Clock.at(self.now)
        for segment in self.segments:
            segment.refresh_from_db()
            column = f"{segment.member_type}_id"
            stored = set(SegmentMembership.objects.filter(segment=segment).values_list(column, flat=True))
            rule = validate(segment.rules, segment.member_type, segment_id=segment.pk)
            wanted = set(member_bitmap(rule, clock))
            assert stored == wanted, (segment.rules, stored ^ wanted, self.log[-8:])
            assert segment.member_count == len(stored)

    def pass_time(self) -> None:
        """Let time pass."""
        step = self.random.choice(PASSES)
        self.log.append(f"time {step}")
        self.now += step

    def write(self) -> None:
        """Change something somewhere; what the database refuses is not done."""
        model = self.random.choice(written_models())
        way = self.random.choice([self.update, self.update, self.save, self.raw, self.insert, self.delete])
        try:
            with transaction.atomic(), effective_time(self.now):
                way(model)
        except (DatabaseError, models.ProtectedError):
            self.log.append(f"{way.__name__} {model.__name__} refused")

    def row(self, model: Any) -> Any:
        return self.random.choice(list(model._base_manager.order_by("pk")[:200]))

    def column(self, model: Any) -> Any:
        fields = [f for f in model._meta.concrete_fields if not f.primary_key and not f.generated]
        return self.random.choice(fields)

    def value(self, model: Any, field: Any) -> Any:
        """Return a value for a column: what another row holds, or a moment close to now."""
        if isinstance(field, models.DateTimeField) and self.random.random() < 0.6:
            return self.now + self.random.choice([-1, 1]) * self.random.choice(PASSES[1:])
        if type(field) is models.DateField and self.random.random() < 0.6:
            return (self.now + self.random.choice([-1, 1]) * self.random.choice(PASSES[3:])).date()
        return getattr(self.row(model), field.attname)

    def update(self, model: Any) -> None:
        row, field = self.row(model), self.column(model)
        self.log.append(f"update {model.__name__} {row.pk} {field.attname}")
        model._base_manager.filter(pk=row.pk).update(**{field.attname: self.value(model, field)})

    def save(self, model: Any) -> None:
        row, field = self.row(model), self.column(model)
        self.log.append(f"save {model.__name__} {row.pk} {field.attname}")
        setattr(row, field.attname, self.value(model, field))
        row.save()

    def raw(self, model: Any) -> None:
        table, first, second = model._meta.db_table, self.row(model), self.row(model)
        column = self.column(model).column
        self.log.append(f"raw {model.__name__} {first.pk} {column}")
        with connection.cursor() as cursor:
            cursor.execute(
                f'UPDATE {table} SET "{column}" = (SELECT "{column}" FROM {table} WHERE id = %s) WHERE id = %s',
                [second.pk, first.pk],
            )

    def insert(self, model: Any) -> None:
        """Write a copy of a row at once with others: COPY on PostgreSQL."""
        copy = self.row(model)
        copy.pk = None
        for name in ("email", "domain", "order_number"):
            if hasattr(copy, name):
                setattr(copy, name, f"copy{self.random.random()}@d.example"[:60])
        field = self.column(model)
        setattr(copy, field.attname, self.value(model, field))
        self.log.append(f"insert {model.__name__} with {field.attname}")
        bulk_insert([copy])

    def delete(self, model: Any) -> None:
        row = self.row(model)
        self.log.append(f"delete {model.__name__} {row.pk}")
        model._base_manager.filter(pk=row.pk).delete()


def known(judged: Judged, machine: Machine) -> World:
    """Return what rules may name, the machine's own segments among it."""
    named = {kind: [s.slug for s in machine.segments if s.member_type == kind] for kind in ("account", "contact")}
    from dataclasses import replace

    return replace(judged.names, segments={kind: slugs for kind, slugs in named.items() if slugs})


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize="STEPS" not in os.environ,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
@given(data=st.data(), seed=st.integers(0, 10**9))
def drawn(judged: Judged, data: st.DataObject, seed: int) -> None:
    """Draw rules, then let writes, time and refreshes follow one another."""
    with transaction.atomic():
        machine = Machine(seed)
        for _ in range(5):
            member_type = data.draw(st.sampled_from(["account", "contact"]))
            raw = data.draw(rules(member_type, known(judged, machine), max_depth=3, max_related=2))
            machine.add(raw, member_type)
        for _ in range(4):
            for _ in range(machine.random.choice([0, 1, 3, 8])):
                machine.write()
            if machine.random.random() < 0.6:
                machine.pass_time()
            machine.refresh()
            machine.check()
        transaction.set_rollback(True)


@pytest.mark.timeout(900)
def test_incremental_is_rebuild(judged: Judged) -> None:
    """T2: whatever is written and however time passes, a refresh leaves what a rebuild would."""
    drawn(judged)


# --- what the machine rests on ---

ACTIVE = all_of(
    {
        "field": "contact.activities",
        "aggregate": {"function": "count"},
        "where": all_of({"field": "activity.occurred_at", "operator": "in_last", "value": {"n": 30, "unit": "day"}}),
        "operator": "gte",
        "value": 1,
    }
)


@pytest.fixture
def machine(judged: Judged) -> Iterator[Machine]:
    """Return a machine with four segments: by size, by activity, and one each that reads them."""
    with transaction.atomic():
        found = Machine(1)
        found.add(larger_than(200), "account")
        found.add(ACTIVE, "contact")
        found.add(in_segment("drawn-0"), "account")
        found.add(in_segment("drawn-1"), "contact")
        yield found
        transaction.set_rollback(True)


def story(machine: Machine) -> None:
    """Let one account grow, one contact act, and 31 days pass; members are right after each."""
    account = apps.get_model("accounts.Account").objects.filter(employee_count__lt=100, deleted_at=None).first()
    type(account).objects.filter(pk=account.pk).update(employee_count=5000)
    machine.refresh()
    machine.check()
    activity = Activity.objects.filter(contact__deleted_at=None, contact__isnull=False).first()
    Activity.objects.filter(pk=activity.pk).update(occurred_at=machine.now - dt.timedelta(days=3))
    machine.refresh()
    machine.check()
    machine.now += dt.timedelta(days=31)
    machine.refresh()
    machine.check()


def test_the_story_is_right(machine: Machine) -> None:
    story(machine)
    assert MembershipChange.objects.filter(cause="time").exists()


def test_meta_a_missing_trigger_is_noticed(machine: Machine) -> None:
    triggers = [t for t in capture_triggers(connection.vendor) if t.table == "accounts_account"]
    drop(connection, triggers)
    with pytest.raises(AssertionError):
        story(machine)


def test_meta_a_missing_sliver_is_noticed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slivers, "having_values", lambda field, spans, clock: slivers.BitMap())
    with pytest.raises(AssertionError):
        story(machine)


def test_meta_a_missing_dependency_is_noticed(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storing, "tell_readers", lambda *_: None)
    assert collecting.tell_readers
    with pytest.raises(AssertionError):
        story(machine)
