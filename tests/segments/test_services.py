"""Saving, rebuilding by difference, decisions by hand."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone
from pyroaring import BitMap

from segmentation_crm.common.models import Job, Role
from segments.models import Segment, SegmentMembership, SegmentRun, SegmentVersion
from segments.rules.nodes import InvalidRule
from segments.services import overrides, saving
from segments.services.rebuilding import rebuild_all, rebuild_segment, rebuild_with_dependants
from segments.services.shared_atoms import SharedAtoms
from tests.factories import AccountFactory, ContactFactory, UserFactory

from .making import NoChunks, all_of, built, in_segment, larger_than, member_ids, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    """Somebody who may save segments."""
    return UserFactory(role=Role.ADMIN)


# --- saving ---
def test_a_new_segment_has_a_sentence_a_version_and_a_job(admin):
    segment, job = saving.create_segment(admin, name="  Large   ones ", member_type="account", rules=larger_than(50))
    assert (segment.name, segment.slug, segment.version, segment.status) == ("Large ones", "large-ones", 1, "active")
    assert "at least 50 employees" in segment.sentence
    assert segment.versions.get().number == 1
    assert (job.kind, job.key) == ("segment.rebuild", f"segment:{segment.pk}")


@pytest.mark.parametrize(("name", "slug"), [("New", "segment-new"), ("2026", "segment-2026"), ("日本", "segment")])
def test_a_slug_is_never_a_route_or_an_id(admin, name, slug):
    assert saved(larger_than(1), name, admin).slug == slug
    assert saved(larger_than(1), name, admin).slug == f"{slug}-2"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"member_type": "opportunity"}, "member_type"),
        ({"kind": "odd"}, "kind"),
        ({"status": "broken"}, "status"),
        ({"kind": "static"}, "rules"),
    ],
)
def test_bad_input_names_the_field(admin, values, field):
    good = {"name": "A", "member_type": "account", "rules": larger_than(1)}
    with pytest.raises(ValidationError) as refused:
        saving.create_segment(admin, **{**good, **values})
    assert field in refused.value.message_dict


def test_an_invalid_rule_saves_nothing(admin):
    with pytest.raises(InvalidRule):
        saved(all_of({"field": "account.nope", "operator": "eq", "value": 1}), user=admin)
    assert not Segment.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("role", [Role.SALES_REP, Role.ANALYST, Role.VIEWER])
def test_roles_that_only_read_cannot_write(role, admin):
    reader, segment = UserFactory(role=role), saved(larger_than(1), user=admin)
    with pytest.raises(PermissionDenied):
        saved(larger_than(1), user=reader)
    with pytest.raises(PermissionDenied):
        saving.update_segment(reader, segment, {"name": "Mine"})
    with pytest.raises(PermissionDenied):
        saving.archive_segment(reader, segment)
    with pytest.raises(PermissionDenied):
        overrides.set_override(reader, segment, AccountFactory().pk, "include", "x")


def test_r112_two_editors_the_second_gets_the_conflict(admin):
    segment = saved(larger_than(1), user=admin)
    mine, _ = saving.update_segment(admin, segment, {"rules": larger_than(10)}, expected_version=1)
    assert (mine.version, mine.rules_version) == (2, 2)
    with pytest.raises(saving.StaleVersion) as conflict:
        saving.update_segment(admin, segment, {"rules": larger_than(99)}, expected_version=1)
    assert conflict.value.current.version == 2
    assert SegmentVersion.objects.count() == 2


def test_a_new_name_is_no_new_rule(admin):
    segment = saved(larger_than(1), user=admin)
    renamed, job = saving.update_segment(admin, segment, {"name": "Other"})
    assert (renamed.version, renamed.rules_version, renamed.slug, job) == (2, 1, "large-accounts", None)


def test_a_segment_in_use_is_not_archived(admin):
    base = saved(larger_than(1), "Base", admin)
    saved(in_segment("base"), "Reader", admin)
    with pytest.raises(saving.SegmentInUse) as used:
        saving.archive_segment(admin, base)
    assert [(user.kind, user.name) for user in used.value.users] == [("segment", "Reader")]


def test_an_archived_segment_comes_back(admin):
    segment = saving.archive_segment(admin, saved(larger_than(1), user=admin))
    assert segment.status == "archived"
    restored, job = saving.restore_segment(admin, segment)
    assert (restored.status, job.kind) == ("active", "segment.rebuild")


# --- rebuilding ---
def test_members_are_written_by_difference():
    kept, leaving = AccountFactory(employee_count=100), AccountFactory(employee_count=90)
    segment = built(larger_than(50))
    before = SegmentMembership.objects.get(account=kept)
    leaving.employee_count = 5
    leaving.save()
    entering = AccountFactory(employee_count=70)
    outcome = rebuild_segment(segment.pk)
    assert (outcome.entered, outcome.left, outcome.member_count) == (1, 1, 2)
    assert member_ids(segment) == {kept.pk, entering.pk}
    after = SegmentMembership.objects.get(account=kept)
    assert (after.pk, after.entered_at) == (before.pk, before.entered_at)
    run = SegmentRun.objects.latest("id")
    assert BitMap.deserialize(bytes(run.entered)) == BitMap([entering.pk])
    assert BitMap.deserialize(bytes(run.left)) == BitMap([leaving.pk])


def test_a_run_that_changes_nobody_leaves_no_run():
    AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    assert not rebuild_segment(segment.pk).changed
    assert segment.runs.count() == 1


def test_contacts_are_members_too():
    contact = ContactFactory(seniority="vp")
    ContactFactory(seniority="manager")
    rule = all_of({"field": "contact.seniority", "operator": "eq", "value": "vp"})
    segment = built(rule, "VPs", member_type="contact")
    assert member_ids(segment) == {contact.pk}
    assert segment.members().get().contact == contact


def test_the_last_build_is_told():
    segment = built(larger_than(50))
    assert segment.last_built_at is not None
    assert segment.last_duration_ms is not None
    assert segment.built_version == segment.rules_version == 1
    assert not segment.is_stale


def test_a_deleted_record_leaves():
    account = AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    account.deleted_at = timezone.now()
    account.save()
    rebuild_segment(segment.pk)
    assert member_ids(segment) == set()


def test_r45_a_broken_rule_keeps_its_members_and_says_why():
    account = AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    broken = all_of({"field": "account.custom.gone", "operator": "eq", "value": "x"})
    Segment.objects.filter(pk=segment.pk).update(rules=broken)
    outcome = rebuild_segment(segment.pk)
    segment.refresh_from_db()
    assert (outcome.state, segment.status) == ("kept", "broken")
    assert segment.last_error
    assert member_ids(segment) == {account.pk}
    assert segment.runs.latest("id").error == segment.last_error
    rebuild_segment(segment.pk)
    assert segment.runs.exclude(error="").count() == 1


def test_a_mended_rule_heals_the_segment(admin):
    account = AccountFactory(employee_count=100)
    segment = built(larger_than(50))
    Segment.objects.filter(pk=segment.pk).update(rules=all_of({"field": "x", "operator": "eq", "value": 1}))
    rebuild_segment(segment.pk)
    healed, job = saving.update_segment(admin, Segment.objects.get(), {"rules": larger_than(10)})
    assert (healed.status, healed.last_error, job.kind) == ("active", "", "segment.rebuild")
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {account.pk}


def test_r114_a_rule_edited_during_its_rebuild_voids_the_result(admin, monkeypatch):
    small, large = AccountFactory(employee_count=60), AccountFactory(employee_count=600)
    segment = saved(larger_than(50), user=admin)
    evaluate, calls = SharedAtoms.members, []

    def evaluate_and_edit(atoms, rule):
        found = evaluate(atoms, rule)
        calls.append(len(found))
        if len(calls) == 1:
            saving.update_segment(admin, segment, {"rules": larger_than(500)})
        return found

    monkeypatch.setattr(SharedAtoms, "members", evaluate_and_edit)
    assert rebuild_segment(segment.pk).member_count == 1
    assert calls == [2, 1]
    assert member_ids(segment) == {large.pk}
    segment.refresh_from_db()
    assert segment.built_version == 2
    assert small.pk not in member_ids(segment)


def test_an_older_result_never_overwrites_a_newer_one():
    segment = built(larger_than(50))
    later = timezone.now() + timedelta(hours=1)
    Segment.objects.filter(pk=segment.pk).update(last_built_at=later)
    AccountFactory(employee_count=100)
    assert rebuild_segment(segment.pk).state == "discarded"
    assert member_ids(segment) == set()


def test_readers_follow_in_order_and_only_when_touched():
    AccountFactory(employee_count=100)
    base = saved(larger_than(50), "Base")
    reader = saved(in_segment("base"), "Reader")
    last = saved(in_segment("reader"), "Last")
    other = saved(larger_than(1), "Other")
    totals = rebuild_with_dependants(base.pk, "definition", NoChunks(), [])
    assert totals == {"segments": 3, "entered": 3, "left": 0, "broken": 0}
    assert member_ids(reader) == member_ids(last) == member_ids(base)
    assert member_ids(other) == set()
    assert rebuild_with_dependants(base.pk, "data", NoChunks(), [])["segments"] == 1


def test_all_are_rebuilt_each_after_those_it_reads():
    AccountFactory(employee_count=100)
    base = saved(larger_than(50), "B")
    reader = saved(in_segment("b"), "A")
    chunks = NoChunks()
    assert rebuild_all("rebuild", chunks, [])["segments"] == 2
    assert member_ids(reader) == member_ids(base) != set()
    assert chunks.commits[-1]["checkpoint"] == {"finished": [base.pk, reader.pk]}
    assert rebuild_all("rebuild", NoChunks(), [base.pk])["segments"] == 2


# --- by hand ---
def test_overrides_survive_rebuilds(admin):
    in_rule, outside = AccountFactory(employee_count=100), AccountFactory(employee_count=1)
    segment = built(larger_than(50))
    overrides.set_override(admin, segment, outside.pk, "include", "Board's wish")
    overrides.set_override(admin, segment, in_rule.pk, "exclude", "A competitor")
    assert member_ids(segment) == {outside.pk}
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {outside.pk}
    assert SegmentMembership.objects.get(account=outside).manual
    segment.refresh_from_db()
    assert segment.member_count == 1


def test_a_second_decision_takes_the_place_of_the_first(admin):
    account = AccountFactory(employee_count=1)
    segment = built(larger_than(50))
    overrides.set_override(admin, segment, account.pk, "include", "Yes")
    overrides.set_override(admin, segment, account.pk, "exclude", "No")
    assert segment.overrides.get().mode == "exclude"
    assert member_ids(segment) == set()


def test_without_the_override_the_rule_decides_again(admin):
    account = AccountFactory(employee_count=1)
    segment = built(larger_than(50))
    made, _ = overrides.set_override(admin, segment, account.pk, "include", "Yes")
    overrides.remove_override(admin, segment, made)
    rebuild_segment(segment.pk)
    assert member_ids(segment) == set()


@pytest.mark.parametrize(("mode", "reason"), [("maybe", "x"), ("include", "  "), ("include", "x" * 501)])
def test_a_bad_decision_is_refused(admin, mode, reason):
    with pytest.raises(ValidationError):
        overrides.set_override(admin, built(larger_than(1)), AccountFactory().pk, mode, reason)


def test_a_record_out_of_sight_cannot_be_put_in():
    manager = UserFactory(role=Role.SALES_MANAGER)
    hidden = AccountFactory(owner=UserFactory())
    with pytest.raises(ValidationError, match="no such account"):
        overrides.set_override(manager, built(larger_than(1)), hidden.pk, "include", "x")


def test_a_static_segment_holds_what_was_put_in(admin):
    account = AccountFactory()
    segment = saved(None, "By hand", admin, kind="static")
    overrides.set_override(admin, segment, account.pk, "include", "Invited")
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {account.pk}


def test_a_snapshot_stays_as_it_was_taken():
    account = AccountFactory(employee_count=100)
    segment = built(larger_than(50), "Snapshot", kind="snapshot")
    AccountFactory(employee_count=200)
    account.employee_count = 1
    account.save()
    rebuild_segment(segment.pk)
    assert member_ids(segment) == {account.pk}
