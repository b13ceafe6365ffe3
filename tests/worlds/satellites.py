"""What hangs on the generated records: roles, employments, custom values, history, provenance, consents, segments."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from accounts import models
from accounts.choices import BuyingRole, CustomFieldType
from segmentation_crm.common.fields import registry
from segments.models import Segment, SegmentMembership, SegmentRun

from . import pools

if TYPE_CHECKING:
    from .generate import Generator

RECORDS: dict[str, tuple[Any, Any]] = {
    "account": (models.Account, models.AccountCustomValue),
    "contact": (models.Contact, models.ContactCustomValue),
    "opportunity": (models.Opportunity, models.OpportunityCustomValue),
}
HISTORY_VALUES = {
    "lifecycle_stage": {"account": ["target", "engaged", "customer", ""], "contact": ["lead", "mql", "sql", ""]},
    "lead_status": {"contact": ["new", "working", "nurture", ""]},
    "tier": {"account": ["1", "2", "3", ""]},
    "stage": {"opportunity": ["new", "talks", "won", "lost"]},
}


def add_satellites(world: "Generator") -> None:
    """Add everything that is no record of its own."""
    _links(world)
    _custom(world)
    _history(world)
    _provenance(world)
    _consents(world)
    _external_ids(world)
    _segments(world)


def _links(world: "Generator") -> None:
    choose = world.random.choice
    opportunities, contacts, accounts = (world.pk(m) for m in (models.Opportunity, models.Contact, models.Account))
    pairs = {(choose(opportunities), choose(contacts), choose(["", *BuyingRole.values[:4]])) for _ in range(90)}
    models.OpportunityContact.objects.bulk_create(
        models.OpportunityContact(opportunity_id=o, contact_id=c, role=r) for o, c, r in sorted(pairs)
    )
    ties = {(choose(contacts[:20]), choose(accounts), choose(["employee", "advisor", ""])) for _ in range(60)}
    models.ContactAccount.objects.bulk_create(
        models.ContactAccount(contact_id=c, account_id=a, relation=r if r != "advisor" else "")
        for c, a, r in sorted(ties)
        if r != "advisor"
    )


def _custom(world: "Generator") -> None:
    choose = world.random.choice
    columns: dict[str, tuple[str, list[Any]]] = {
        "text": ("text", pools.TEXTS),
        "enum": ("text", ["", "red", "green", "blue"]),
        "boolean": ("boolean", [True, False, None]),
        "date": ("date", pools.DATES),
        "datetime": ("moment", pools.MOMENTS),
    }
    for record, (model, values) in RECORDS.items():
        owners = list(model._base_manager.order_by("pk"))
        for kind in CustomFieldType.values:
            choices = [{"value": v, "label": v.title()} for v in ("red", "green", "blue", "black")]
            definition = models.CustomField.objects.create(
                record=record, key=f"my_{kind}", label=f"My {kind}", type=kind, choices=choices
            )
            rows = []
            for owner in owners:
                if world.random.random() < 0.25:
                    continue
                base = {record: owner, "definition": definition}
                if kind == "multi":
                    for value in world.random.sample(["red", "green", "blue"], choose([1, 2, 3])):
                        rows.append(values(text=value, **base))
                    continue
                column, pool = columns.get(kind, ("number", pools.DECIMALS if kind != "integer" else pools.INTEGERS))
                rows.append(values(**{column: choose(pool)}, **base))
            values._default_manager.bulk_create(rows)


def _history(world: "Generator") -> None:
    """Replace what the triggers wrote by histories with gaps, returns, repeats and changes around as_of."""
    models.FieldHistory.objects.all().delete()
    rows = []
    for field, by_record in HISTORY_VALUES.items():
        for record, values in by_record.items():
            for key in world.pk(RECORDS[record][0]):
                rows += _life(world, record, key, field, values)
    models.FieldHistory.objects.bulk_create(rows)


def _life(world: "Generator", record: str, key: int, field: str, values: list[str]) -> list[models.FieldHistory]:
    moments = sorted(set(world.random.sample([m for m in pools.MOMENTS if m], world.random.choice([0, 1, 2, 3, 4]))))
    rows = []
    for index, start in enumerate(moments):
        end = moments[index + 1] if index + 1 < len(moments) else None
        if end is not None and world.random.random() < 0.2:
            end -= min(dt.timedelta(days=1), (end - start) / 2)
        row = models.FieldHistory(
            record_type=record,
            record_id=key,
            field=field,
            value=world.random.choice(values),
            valid_from=start,
            valid_to=end,
        )
        rows.append(row)
    return rows


def _provenance(world: "Generator") -> None:
    choose = world.random.choice
    rows = []
    for field in registry.fields(custom=False):
        if getattr(field.source, "name", "") != "provenance_age":
            continue
        model = RECORDS[field.record][0]
        for key in world.random.sample(world.pk(model), 25):
            rows.append(
                models.Provenance(
                    record_type=field.record,
                    record_id=key,
                    field=field.source.args[0],  # type: ignore[union-attr]
                    source_system=choose(pools.TEXTS)[:60],
                    source_type=choose(["primary", "secondary", ""]),
                    observed_on=choose([d for d in pools.DATES if d is None or d.year > 1900]),
                )
            )
    models.Provenance.objects.bulk_create(rows)


def _consents(world: "Generator") -> None:
    choose = world.random.choice
    topics = [*world.keys(models.Term, "term:consent_topic"), None]
    models.Consent.objects.bulk_create(
        models.Consent(
            contact_id=choose(world.pk(models.Contact)[:30]),
            topic_id=choose(topics),
            channel=choose(["", "email", "phone", "event"]),
            status=choose(["granted", "granted", "denied", "withdrawn", ""]),
            at=choose(pools.MOMENTS),
        )
        for _ in range(70)
    )


def _external_ids(world: "Generator") -> None:
    for record, (model, _) in RECORDS.items():
        rows = []
        for key in world.pk(model)[::2]:
            rows.append(
                models.ExternalId(record_type=record, record_id=key, source="crm", external_id=f"Ä-{key % 7}-{key}")
            )
            if key % 3 == 0:
                rows.append(
                    models.ExternalId(record_type=record, record_id=key, source="erp", external_id=f"{key:05d}")
                )
        models.ExternalId.objects.bulk_create(rows)


def _segments(world: "Generator") -> None:
    """Make segments with members: the first with a history, the second with one that goes on after as_of."""
    for record in ("account", "contact"):
        model = RECORDS[record][0]
        for number in range(3):
            segment = Segment.objects.create(
                name=f"{record} segment {number}", slug=f"{record}-segment-{number}", member_type=record
            )
            owners = {owner.pk: owner for owner in model._base_manager.order_by("pk")}
            members = _runs(world, segment, list(owners), number) if number < 2 else set()
            if number == 2:
                members = {key for key in owners if world.random.random() < 0.4}
            SegmentMembership.objects.bulk_create(
                SegmentMembership(segment=segment, entered_at=pools.AS_OF, **{record: owners[key]})
                for key in sorted(members)
            )


def _runs(world: "Generator", segment: Segment, keys: list[int], number: int) -> set[int]:
    """Store runs over two years; return who is in after the last."""
    members: set[int] = set()
    days = [700, 400, 91, 90, 30, 8, 7, 1, 0] + ([-1, -20] if number else [])
    for position, day in enumerate(days):
        # A third of the records moves in each run, those who are in out and the others in.
        moving = {key for key in keys if world.random.random() < 0.33}
        entered, left = moving - members, moving & members
        members = (members - left) | entered
        at = pools.AS_OF - dt.timedelta(days=day, seconds=position % 3)
        SegmentRun.objects.create(
            segment=segment, version=1, cause="data", as_of=at, started_at=at, finished_at=at,
            member_count=len(members), entered_count=len(entered), left_count=len(left),
            entered=BitMap(entered).serialize(), left=BitMap(left).serialize(),
        )  # fmt: skip
    return members
