"""Rows written in bulk are what one save each would have written."""

import datetime as dt
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Account, FieldHistory, ImportRow
from segmentation_crm.common.bulk_insert import bulk_insert
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


def test_values_of_every_kind_come_back(django_assert_max_num_queries):
    made = [
        Account(
            name=f"Größe {n}\t\\N\n", employee_count=n, annual_revenue=Decimal("12.5"), do_not_contact=n == 1,
            customer_since=dt.date(2024, 2, 29), became_customer_at=dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC),
            lifecycle_stage="customer",
        )
        for n in range(3)
    ]  # fmt: skip
    with django_assert_max_num_queries(3):
        bulk_insert(made)
    assert len({one.pk for one in made}) == 3
    found = Account.objects.get(pk=made[1].pk)
    names = [field.attname for field in Account._meta.concrete_fields]
    assert {name: getattr(found, name) for name in names} == {name: getattr(made[1], name) for name in names}
    assert found.name_folded == "grösse 1\t\\n"
    assert found.updated_at
    assert FieldHistory.objects.filter(record_type="account", field="lifecycle_stage", value="customer").count() == 3


def test_ids_go_on_after_rows_saved_one_by_one():
    before = AccountFactory()
    bulk_insert([Account(name="b"), Account(name="c")])
    after = AccountFactory()
    assert before.pk < Account.objects.get(name="b").pk < Account.objects.get(name="c").pk < after.pk


def test_a_broken_constraint_writes_nothing():
    AccountFactory(domain="firm.example")
    rows = [Account(name="good"), Account(name="bad", domain="firm.example")]
    with pytest.raises(IntegrityError), transaction.atomic():
        bulk_insert(rows)
    assert not Account.objects.filter(name="good").exists()
    assert [one.pk for one in rows] == [None, None]


def test_a_text_that_cannot_be_sent_is_a_value_error():
    with pytest.raises(UnicodeEncodeError), transaction.atomic():
        bulk_insert([Account(name="half \ud800")])


def test_json_is_json(db):
    from accounts.models import Import

    run = Import.objects.create(type="accounts", file_name="a.csv")
    bulk_insert([ImportRow(run=run, number=1, line=2, findings=[{"text": 'a"\\b'}], cells=["x", "ü"])])
    row = run.rows.get()
    assert (row.findings, row.cells) == ([{"text": 'a"\\b'}], ["x", "ü"])


def test_nothing_is_no_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        bulk_insert([])
