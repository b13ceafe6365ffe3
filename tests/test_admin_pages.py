"""The Django admin at a million rows: no page counts a table whole, lists a column's values, or asks row by row."""

import datetime as dt
import re

import pytest
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import segmentation_crm.urls  # noqa: F401 (tidies the admin)
from segmentation_crm.common.admin import CappedPaginator
from segmentation_crm.common.models import AuditEntry, Role
from tests import factories

pytestmark = pytest.mark.django_db
REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label)
ROWS = 9
MAX_QUERIES = 16


@pytest.fixture
def boss(client):
    """A client logged in as an admin."""
    client.force_login(factories.UserFactory(role=Role.ADMIN))
    return client


def address(model, name: str, *args) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


def rows_of(model) -> list:
    """Make a few rows where the tests know how."""
    factory = getattr(factories, f"{model.__name__}Factory", None)
    if factory is None:
        return []
    own = {
        "ExchangeRate": lambda number: {"on_date": dt.date(2026, 1, 1 + number)},
        "Notification": lambda number: {"user": factories.UserFactory()},
    }.get(model.__name__, lambda number: {})
    return [factory(**own(number)) for number in range(ROWS)]


def faults(queries) -> list[str]:
    """Return what would take long at a million rows."""
    found = []
    for sql in (query["sql"] for query in queries):
        is_count = "COUNT(" in sql.upper()
        if is_count and not re.search(r"LIMIT \d+\)? *(subquery|AS)?", sql):
            found.append(f"counts a table whole: {sql[:200]}")
        if "SELECT DISTINCT" in sql.upper() and "LIMIT" not in sql.upper():
            found.append(f"lists the values of a column: {sql[:200]}")
    if len(queries) > MAX_QUERIES:
        found.append(f"{len(queries)} queries: {[query['sql'][:90] for query in queries]}")
    return found


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_every_page_of_the_admin_stays_quick(boss, model):
    rows = rows_of(model)
    registered = admin.site._registry[model]
    paths = [(address(model, "changelist"), {})]
    if registered.search_fields:
        paths += [(address(model, "changelist"), {"q": text}) for text in ("Größe", "12", "a b", "' OR 1=1")]
    if model not in (AuditEntry,) and type(registered).has_add_permission is admin.ModelAdmin.has_add_permission:
        paths.append((address(model, "add"), {}))
    if rows:
        paths.append((address(model, "change", rows[0].pk), {}))
    wrong = []
    for path, asked in paths:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            answer = boss.get(path, asked)
        if answer.status_code != 200:
            wrong.append(f"{path} {asked}: {answer.status_code}")
        wrong += [f"{path} {asked}: {fault}" for fault in faults(queries.captured_queries)]
    assert wrong == []


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label)
def test_lists_are_capped_and_references_never_menus_of_everything(model):
    registered = admin.site._registry[model]
    assert registered.show_full_result_count is False
    assert registered.paginator is CappedPaginator
    assert registered.date_hierarchy is None
    writable = not any("ReadOnly" in base.__name__ for base in type(registered).__mro__)
    references = {
        field.name
        for field in model._meta.get_fields()
        if getattr(field, "editable", False) and field.concrete and (field.many_to_one or field.many_to_many)
    }
    searched = {*registered.autocomplete_fields, *registered.raw_id_fields, *registered.filter_horizontal}
    shown = {name for name in references if not registered.fieldsets or name in str(registered.fieldsets)}
    assert not writable or shown <= searched


def test_a_list_longer_than_the_cap_counts_no_further(boss, monkeypatch):
    monkeypatch.setattr("segmentation_crm.common.admin.MAX_COUNTED", 5)
    for _ in range(8):
        factories.VendorFactory()
    page = boss.get(address(factories.VendorFactory._meta.model, "changelist"))
    assert page.context["cl"].result_count == 5


def test_the_checker_sees_what_takes_long():
    AuditEntry.objects.create(action="stage.changed")
    with CaptureQueriesContext(connection) as queries:
        AuditEntry.objects.count()
        list(AuditEntry.objects.order_by().values_list("action", flat=True).distinct())
        AuditEntry.objects.all()[:10].count()
    assert [fault.split(":")[0] for fault in faults(queries.captured_queries)] == [
        "counts a table whole",
        "lists the values of a column",
    ]


def test_pages_that_mean_nothing_here_are_left_out():
    apps = {model._meta.app_label for model in REGISTERED}
    assert apps == {"common", "accounts", "segments", "account", "mfa"}


def test_autocomplete_of_references_is_capped(boss):
    factories.AccountFactory(name="Kessler")
    asked = {"app_label": "accounts", "model_name": "contact", "field_name": "account", "term": "kess"}
    with CaptureQueriesContext(connection) as queries:
        found = boss.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [row["text"] for row in found] == ["Kessler"]
    assert faults(queries.captured_queries) == []
