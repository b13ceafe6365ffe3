"""The audit log: append-only in the database, every way of writing told with old and new, found by filters."""

import datetime as dt

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from segmentation_crm.common.acting import acting_as
from segmentation_crm.common.append_only import audit_triggers, check_triggers
from segmentation_crm.common.models import AuditEntry, Organisation, Role
from segmentation_crm.common.services import audit
from segmentation_crm.common.triggers import drop, install
from tests import factories as make
from tests.support.api import caller

pytestmark = pytest.mark.django_db


@pytest.fixture
def boss():
    return make.UserFactory(username="boss", first_name="Berta", last_name="Boss")


@pytest.fixture
def admin(boss):
    client = Client()
    client.force_login(boss)
    return client


def changes(entry: AuditEntry) -> dict:
    return {one["field"]: (one["old"], one["new"]) for one in entry.details["changes"]}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE common_auditentry SET action = 'nothing.happened'",
        "UPDATE common_auditentry SET details = '{}'",
        "UPDATE common_auditentry SET actor_id = NULL, actor_name = 'somebody else'",
        "DELETE FROM common_auditentry",
    ],
)
def test_the_database_refuses_to_change_or_delete_an_entry(boss, statement):
    entry = audit.record(boss, "stage.changed", None, changes=[{"field": "name", "old": "a", "new": "b"}])
    before = AuditEntry.objects.filter(pk=entry.pk).values().get()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.filter(pk=entry.pk).values().get() == before


def test_the_orm_is_refused_too(boss):
    entry = audit.record(boss, "stage.changed")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.filter(pk=entry.pk).update(actor_name="somebody")
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        AuditEntry.objects.all().delete()
    with pytest.raises(TypeError, match="append-only"):
        entry.save()


def test_an_entry_outlives_its_actor_with_the_name(boss):
    entry = audit.record(boss, "stage.changed")
    boss.delete()
    entry.refresh_from_db()
    assert (entry.actor, entry.actor_name) == (None, "Berta Boss")


def test_a_missing_trigger_is_reported():
    guards = audit_triggers(connection.vendor)
    assert check_triggers(databases=["default"]) == []
    drop(connection, guards[:1])
    try:
        assert [error.id for error in check_triggers(databases=["default"])] == ["common.E001"]
    finally:
        install(connection, guards)


def test_the_api_tells_old_and_new(boss):
    stage = make.StageFactory(name="Talk", probability="0.2")
    answer = caller(boss).patch(f"/api/v1/stages/{stage.pk}/", {"probability": "0.35"}, format="json")
    assert answer.status_code == 200
    entry = AuditEntry.objects.get(action="stage.changed")
    assert changes(entry) == {"probability": ("0.2", "0.35")}
    assert (entry.actor, entry.details["via"]) == (boss, "api")


def test_the_admin_site_tells_old_and_new_once(admin, boss):
    field = make.CustomFieldFactory(label="Depth")
    form = {"label": "Diving depth", "choices": "[]", "help": "", "position": 1, "is_active": "on"}
    answer = admin.post(reverse("admin:accounts_customfield_change", args=[field.pk]), form)
    assert answer.status_code == 302
    entry = AuditEntry.objects.get(object_type="accounts.customfield")
    assert changes(entry)["label"] == ("Depth", "Diving depth")
    assert entry.details["via"] == "admin"


def test_links_and_references_are_told_by_name(admin, boss):
    ann = make.UserFactory(username="ann", first_name="", last_name="")
    territory, parent = make.TerritoryFactory(name="North"), make.TermFactory(vocabulary="need", name="Grow")
    term = make.TermFactory(vocabulary="need", name="Hire")
    with acting_as(boss, "page"):
        territory.users.add(ann)
        territory.users.clear()
        term.parent = parent
        term.save()
    linked = list(AuditEntry.objects.filter(action="territory.changed").order_by("pk"))
    assert [changes(entry)["users"] for entry in linked] == [("", "ann"), ("ann", "")]
    assert changes(AuditEntry.objects.get(action="term.changed"))["parent"] == ("", "Grow")


def test_nobody_acting_and_files_leave_no_entry(boss):
    make.TermFactory()
    with acting_as(boss, "import"):
        make.TermFactory()
    assert not AuditEntry.objects.exists()


def test_every_settings_model_is_told_when_made_changed_and_deleted(boss):
    makers = {
        "term": (make.TermFactory, "name"),
        "product": (make.ProductFactory, "name"),
        "vendor": (make.VendorFactory, "name"),
        "technology_product": (make.TechnologyProductFactory, "name"),
        "persona": (make.PersonaFactory, "name"),
        "pipeline": (make.PipelineFactory, "name"),
        "stage": (make.StageFactory, "name"),
        "custom_field": (make.CustomFieldFactory, "label"),
        "role_template": (make.RoleTemplateFactory, "name"),
        "team": (make.TeamFactory, "name"),
        "territory": (make.TerritoryFactory, "name"),
    }
    with acting_as(boss, "page"):
        for noun, (factory, column) in makers.items():
            row = factory()
            old = getattr(row, column)
            setattr(row, column, "Another")
            row.save()
            told = AuditEntry.objects.get(action=f"{noun}.changed", object_id=str(row.pk))
            assert changes(told)[column] == (old, "Another"), noun
            key = str(row.pk)
            row.delete()
            assert AuditEntry.objects.filter(action=f"{noun}.created", object_id=key).exists(), noun
            assert AuditEntry.objects.filter(action=f"{noun}.deleted", object_id=key).exists(), noun


def test_the_page_filters_by_who_what_act_name_and_day(admin, boss):
    other = make.UserFactory(username="other")
    with acting_as(boss, "page"):
        stage = make.StageFactory(name="Talk")
        stage.name = "Talks"
        stage.save()
    with acting_as(other, "page"):
        make.TeamFactory(name="North")

    def shown(**asked) -> list[str]:
        page = admin.get(reverse("settings_audit"), asked)
        assert page.status_code == 200
        return [entry.action for entry in page.context["page"].rows]

    assert shown(actor=str(other.pk)) == ["team.created"]
    assert shown(noun="stage") == ["stage.changed", "stage.created"]
    assert shown(verb="changed") == ["stage.changed"]
    assert shown(object="nort") == ["team.created"]
    later = (dt.date.today() + dt.timedelta(days=3)).isoformat()
    assert len(shown(since="2020-01-01", until=later)) == 4  # the stage's pipeline too
    assert shown(since=later) == []
    assert shown(until="2020-01-01") == []
    text = admin.get(reverse("settings_audit"), {"noun": "stage"}).content.decode()
    assert "<del>Talk</del>" in text
    assert "<ins>Talks</ins>" in text


@pytest.mark.parametrize(
    "asked", [{"since": "yesterday"}, {"until": "2026-02-30"}, {"actor": "x'--"}, {"cursor": "%%%"}, {"object": "\x00"}]
)
def test_a_filter_that_cannot_be_read_is_no_error(admin, asked):
    assert admin.get(reverse("settings_audit"), asked).status_code == 200


def test_a_long_log_is_paged_by_key_and_never_counted(admin, boss, django_assert_max_num_queries):
    AuditEntry.objects.bulk_create([AuditEntry(actor=boss, actor_name="Berta", action="stage.changed")] * 120)
    Organisation.current()
    with django_assert_max_num_queries(8) as queries:
        page = admin.get(reverse("settings_audit"))
    assert not [q for q in queries.captured_queries if "COUNT(" in q["sql"].upper()]
    seen = len(page.context["page"].rows)
    while url := page.context["page"].next_url:
        page = admin.get(reverse("settings_audit") + url)
        seen += len(page.context["page"].rows)
    assert seen == AuditEntry.objects.count()


def test_only_admins_read_the_log():
    for role in (Role.MARKETING_MANAGER, Role.SALES_MANAGER, Role.SALES_REP, Role.VIEWER):
        client = Client()
        client.force_login(make.UserFactory(role=role))
        assert client.get(reverse("settings_audit")).status_code == 403
