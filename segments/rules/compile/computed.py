"""Computed fields: each named computation of the dictionary as a source (`accounts.fields` says what each means)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    Count,
    DateField,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    Func,
    IntegerField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Coalesce
from django.db.models.lookups import IsNull

from accounts.choices import ENGAGED_EXCLUDED_TYPES, ROLE_GROUPS
from accounts.models import Activity, Consent, ExternalId, Provenance
from segmentation_crm.common.fields import Computed, FieldDef, registry

from ..clock import Clock
from ..nodes import Duration
from . import sources
from .places import Place
from .sources import Figure, Flag, ManyValues, OwnValue, Source, row_column
from .verdicts import Own, Rows

# Inbound and of a known type that is a sign of interest, not suspected as bot.
ENGAGED = Q(direction="inbound") & ~Q(type__in=["", *map(str, ENGAGED_EXCLUDED_TYPES)]) & ~Q(bot_suspected=True)


class DaysSince(Func):
    """Whole days from a date to a given day."""

    output_field = IntegerField()
    arity = 2

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Render as the difference of two dates."""
        return super().as_sql(compiler, connection, template="(%(expressions)s)", arg_joiner=" - ", **context)

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        """Render as the difference of two Julian days, which is whole for dates."""
        day, since = self.get_source_expressions()
        day_sql, day_params = compiler.compile(day)
        since_sql, since_params = compiler.compile(since)
        sql = f"CAST(julianday({day_sql}) - julianday({since_sql}) AS INTEGER)"
        return sql, (*day_params, *since_params)


def find(place: Place, field: FieldDef, source: Computed, clock: Clock) -> Source:
    """Return the source of a computed field."""
    return COMPUTATIONS[source.name](place, field, source.args, clock)


def _years_since(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    year = Value(clock.today.year, output_field=IntegerField())
    return OwnValue(ExpressionWrapper(year - place.column(args[0]), IntegerField()))


def _via(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    return OwnValue(sources.own_column(place, field, "__".join(args)))


def _is_engagement(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    from django.db.models.lookups import Exact, In

    column = place.column
    engaged = (
        Q(Exact(column("direction"), Value("inbound")))
        & ~Q(In(column("type"), ["", *map(str, ENGAGED_EXCLUDED_TYPES)]))
        & ~Q(Exact(column("bot_suspected"), True))
    )
    return Flag(Own(engaged))


def engagements(clock: Clock) -> QuerySet[Any]:
    """Return the activities before as_of that count as engagement (lazy)."""
    return Activity.objects.filter(ENGAGED, occurred_at__lt=clock.as_of).order_by()


def _last_engaged_at(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    return Figure(engagements(clock), f"{field.record}_id", Max("occurred_at"))


def _engaged_within(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    window = clock.last_moments(Duration(args[0], "day"))
    rows = engagements(clock)
    if window.start:
        rows = rows.filter(occurred_at__gte=window.start)
    return Flag(Rows(place.key, rows, f"{field.record}_id"))


def _role_groups(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    roles = registry.field(f"{field.record}.{args[0]}")
    assert roles is not None
    found = sources.find(place, roles, clock)
    assert isinstance(found, ManyValues)
    groups: dict[str, list[str]] = {}
    for role, group in ROLE_GROUPS.items():
        groups.setdefault(str(group), []).append(str(role))
    cases = [When(token__in=tokens, then=Value(group)) for group, tokens in groups.items()]
    return ManyValues(found.rows, found.owner, Case(*cases, output_field=CharField()))


def _count_values(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    counted = registry.field(args[0])
    assert counted is not None
    found = sources.find(place, counted, clock)
    assert isinstance(found, ManyValues)
    return Figure(found.rows, found.owner, Count(found.value, distinct=True), default=0)


def _consent_values(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    name = f"{args[0]}_id" if field.item == "reference" else args[0]
    rows = Consent.objects.filter(Q((f"{name}__isnull", False)) if field.item == "reference" else ~Q((name, "")))
    rows = rows.filter(~Exists(_later_consents()), status="granted").order_by()
    return ManyValues(rows, "contact_id", row_column(Consent, name))


def _later_consents() -> QuerySet[Any]:
    """Return what the contact of an outer consent said later about the same topic and channel."""
    unknown = Value(datetime(1, 1, 1, tzinfo=UTC), output_field=DateTimeField())
    said = Consent.objects.annotate(said_at=Coalesce("at", unknown))
    outer_at = Coalesce(OuterRef("at"), unknown, output_field=DateTimeField())
    return said.filter(
        Q(topic=OuterRef("topic")) | Q(IsNull(F("topic"), True), IsNull(OuterRef("topic"), True)),
        Q(said_at__gt=outer_at) | Q(said_at=outer_at, pk__gt=OuterRef("pk")),
        contact=OuterRef("contact"),
        channel=OuterRef("channel"),
    ).order_by()


def _external_ids(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    rows = ExternalId.objects.filter(record_type=field.record).order_by()
    return ManyValues(rows, "record_id", row_column(ExternalId, "external_id"))


def _through_values(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    return sources.link_values(place, args[0])


def _provenance(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    rows = Provenance.objects.filter(record_type=field.record, field=args[0]).order_by()
    name = f"{args[1]}_folded" if field.type == "text" else args[1]
    return ManyValues(rows, "record_id", row_column(Provenance, name))


def _provenance_age(place: Place, field: FieldDef, args: tuple[Any, ...], clock: Clock) -> Source:
    rows = Provenance.objects.filter(record_type=field.record, field=args[0], observed_on__isnull=False).order_by()
    age = DaysSince(Value(clock.today, output_field=DateField()), F("observed_on"))
    return ManyValues(rows, "record_id", age)


COMPUTATIONS: dict[str, Callable[[Place, FieldDef, tuple[Any, ...], Clock], Source]] = {
    "years_since": _years_since,
    "via": _via,
    "is_engagement": _is_engagement,
    "last_engaged_at": _last_engaged_at,
    "engaged_within": _engaged_within,
    "role_groups": _role_groups,
    "count_values": _count_values,
    "consent_values": _consent_values,
    "external_ids": _external_ids,
    "through_values": _through_values,
    "provenance": _provenance,
    "provenance_age": _provenance_age,
}
