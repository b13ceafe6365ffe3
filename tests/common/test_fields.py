"""The registry: it refuses contradictions, closes, and every declaration fits the models."""

import pytest
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist

from segmentation_crm.common.fields import (
    Column,
    Computed,
    FieldDef,
    RecordDef,
    Registry,
    RegistryError,
    RelatedValues,
    RelationDef,
    ValueRows,
    registry,
)
from tests import factories

ALL = registry.fields(custom=False) + [f for relation in registry.relations.values() for f in relation.extra]
CLASSES = {
    "text": {"CharField", "TextField"},
    "enum": {"CharField"},
    "reference": {"ForeignKey"},
    "tree": {"ForeignKey"},
    "integer": {"PositiveIntegerField", "PositiveSmallIntegerField", "PositiveBigIntegerField", "IntegerField"},
    "decimal": {"DecimalField"},
    "percent": {"DecimalField"},
    "money": {"DecimalField"},
    "boolean": {"BooleanField", "GeneratedField"},
    "date": {"DateField"},
    "datetime": {"DateTimeField"},
}


def _field(key="account.x", **more):
    values = {"label": "X", "type": "text", "source": Column("x"), "group": "G", "family": "identity"}
    return FieldDef(key=key, **{**values, **more})


def test_registry_refuses_a_key_declared_twice():
    fresh = Registry()
    fresh.add_fields([_field()])
    with pytest.raises(RegistryError, match=r"account\.x"):
        fresh.add_fields([_field()])
    relation = RelationDef("account.xs", "x", "Xs", "x", owner_column="account_id")
    fresh.add_relation(relation)
    with pytest.raises(RegistryError):
        fresh.add_relation(relation)


def test_registry_refuses_declarations_once_frozen():
    fresh = Registry()
    fresh.freeze()
    for declare in (
        lambda: fresh.add_fields([_field()]),
        lambda: fresh.add_record(RecordDef("x", "accounts.Account", "x", "xs")),
        lambda: fresh.provide_custom_fields(tuple),
    ):
        with pytest.raises(RegistryError, match="frozen"):
            declare()
    with pytest.raises(RegistryError):
        registry.add_fields([_field()])


def test_registry_finds_a_field_by_its_alias():
    fresh = Registry()
    fresh.add_fields([_field(aliases=("account.old_x",))])
    found = fresh.field("account.old_x")
    assert found is not None
    assert found.key == "account.x"


@pytest.mark.parametrize("wrong", [{"type": "colour"}, {"family": "astrology"}, {"type": "multi"}])
def test_field_refuses_unknown_words(wrong):
    with pytest.raises(ValueError, match=r"account\.x"):
        _field(**wrong)


def test_relations_are_exactly_those_of_the_language_without_touches_and_feedback():
    account = "contacts opportunities technologies needs purchases contracts support_cases activities children"
    assert set(registry.relations) == {
        *(f"account.{name}" for name in [*account.split(), "survey_answers"]),
        *(f"contact.{name}" for name in ("accounts", "activities", "opportunities", "needs", "survey_answers")),
        *(f"opportunity.{name}" for name in ("contacts", "line_items", "activities")),
    }


def test_event_times_are_those_of_the_language():
    assert {prefix: record.event_time for prefix, record in registry.records.items() if record.event_time} == {
        "activity": ("occurred_at", "datetime"),
        "opportunity": ("opened_on", "date"),
        "purchase": ("ordered_at", "datetime"),
        "support_case": ("opened_at", "datetime"),
        "survey_answer": ("answered_at", "datetime"),
    }


def test_history_is_declared_where_triggers_keep_it():
    from accounts.history import TRACKED

    assert {(f.record, f.history) for f in ALL if f.history} == {(t.record_type, t.field) for t in TRACKED}


@pytest.mark.parametrize("field", [f for f in ALL if isinstance(f.source, Column)], ids=lambda f: f.key)
def test_columns_exist_with_their_shadows(field):
    model = apps.get_model(registry.records[field.record].model)
    column = model._meta.get_field(field.source.name)
    assert type(column).__name__ in CLASSES[field.type]
    shadow = {"text": "_folded", "money": "_reporting"}.get(field.type)
    if shadow:
        model._meta.get_field(field.source.name + shadow)
    if field.type in ("reference", "tree"):
        target = {
            "term": "term",
            "code": "industrycode",
            "campaign": "campaignref",
            "content": "contentitem",
            "technology_product": "technologyproduct",
        }
        kind = field.target.partition(":")[0]
        assert column.related_model._meta.model_name == target.get(kind, kind)
    if field.type == "enum" and column.choices and field.choices:
        assert {value for value, _ in column.choices if value} == {choice.value for choice in field.choices}


@pytest.mark.parametrize("field", [f for f in ALL if isinstance(f.source, ValueRows)], ids=lambda f: f.key)
def test_value_rows_say_what_their_items_are(field):
    kinds = {"token": {"enum", "text"}, "term": {"reference"}, "code": {"tree"}}
    assert field.type == "multi"
    assert field.item in kinds[field.source.kind]
    assert (field.source.kind == "token") == (not field.target)


@pytest.mark.parametrize("relation", registry.relations.values(), ids=lambda r: r.key)
def test_relations_fit_the_models(relation):
    model = apps.get_model(registry.records[relation.record].model)
    model._meta.get_field(relation.order_by)
    assert bool(relation.owner_column) != bool(relation.through)
    if relation.owner_column:
        owner = apps.get_model(registry.records[relation.owner].model)
        assert model._meta.get_field(relation.owner_column).related_model is owner
    else:
        label, owner_column, related_column = relation.through
        link = apps.get_model(label)
        assert link._meta.get_field(related_column).related_model is model
        link._meta.get_field(owner_column)


def test_records_fit_the_models():
    for record in registry.records.values():
        model = apps.get_model(record.model)
        for column in record.to_one.values():
            model._meta.get_field(column)
        for path, _ in record.live:
            model._meta.get_field(path.split("__")[0])
        if record.event_time:
            with_time = type(model._meta.get_field(record.event_time[0])).__name__
            assert with_time == {"date": "DateField", "datetime": "DateTimeField"}[record.event_time[1]]


def test_computations_are_documented():
    import accounts.fields

    names = {f.source.name for f in ALL if isinstance(f.source, Computed)}
    for name in names:
        assert f"\n{name} (" in accounts.fields.__doc__, name


def test_shortcuts_read_declared_relations():
    for field in ALL:
        if isinstance(field.source, RelatedValues):
            relation = registry.relation(field.source.relation)
            assert relation is not None
            assert relation.owner == field.record


def test_everyday_fields_are_about_25_in_four_groups():
    everyday = [f for f in ALL if f.everyday]
    assert 20 <= len(everyday) <= 30
    assert {f.group for f in everyday} == {"Who they are", "What they use", "What they do", "Who we know"}


def test_labels_tell_fields_of_a_record_apart():
    for prefix in registry.records:
        labels = [f.label for f in ALL if f.record == prefix]
        assert len(labels) == len(set(labels)), prefix


def test_choices_are_labelled_once():
    for field in ALL:
        values = [choice.value for choice in field.choices]
        assert len(values) == len(set(values)), field.key
        assert all(choice.label and choice.value for choice in field.choices), field.key


def test_every_model_column_that_staff_fill_is_a_field():
    """A column that no field reads is listed here with its reason, so that a new one is not forgotten."""
    kept = {"id", "version", "deleted_at", "merged_into", "erased_at", "updated_at"}
    reasons = {
        "contact": {
            "email_domain": "of the e-mail address",
            "proposed_account": "a proposal",
            "refused_account": "a proposal that was refused",
        },
        "opportunity": {
            "champion_left": "who it was; champion_left_on says when",
            "next_step_set_at": "set by the service, for what is stale",
        },
        "activity": {"opportunity": "a relation", "user": "who noted it", "subject": "free text", "text": "free text"},
        "contract": {"number": "of the paper", "product_text": "as imported"},
        "support_case": {"contact": "who asked", "product": "about what", "subject": "free text"},
        "purchase": {"contact": "who bought", "opportunity": "a relation"},
    }
    for prefix, record in registry.records.items():
        model = apps.get_model(record.model)
        read = {f.source.name for f in ALL if f.record == prefix and isinstance(f.source, Column)}
        owners = {r.owner_column.removesuffix("_id") for r in registry.relations.values() if r.record == prefix}
        rest = (
            {
                column.name
                for column in model._meta.concrete_fields
                if not column.name.endswith(("_folded", "_reporting", "_currency"))
            }
            - read
            - kept
            - set(reasons.get(prefix, ()))
            - owners
        )
        if record.member:
            assert not rest, prefix
        else:
            assert rest <= {"source", "created_at", "contact", "account"}, prefix


@pytest.mark.django_db
def test_custom_fields_appear_and_go():
    definition = factories.CustomFieldFactory(record="contact", key="shoe_size", type="integer", label="Shoe size")
    found = registry.field("contact.custom.shoe_size")
    assert found is not None
    assert (found.type, found.label, found.record) == ("integer", "Shoe size", "contact")
    assert "contact.custom.shoe_size" in {f.key for f in registry.fields("contact")}
    definition.is_active = False
    definition.save()
    assert registry.field("contact.custom.shoe_size") is None


def test_provenance_is_declared_for_stored_fields_only():
    keys = {f.key for f in ALL}
    assert {"account.industry.source", "account.industry.source_type", "account.industry.age_days"} <= keys
    assert not {"account.age_years.source", "account.created_at.source", "opportunity.amount.source"} & keys


def test_missing_columns_would_be_found():
    with pytest.raises(FieldDoesNotExist):
        apps.get_model("accounts.Account")._meta.get_field("no_such_column")
