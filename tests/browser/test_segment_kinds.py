"""Saving a changed rule in Chromium: the dry run before it, and two people at once; rows of a partition by keyboard."""

import pytest
from playwright.sync_api import expect

from segmentation_crm.common.models import Role
from segments.models import Partition, Segment
from segments.services.saving import update_segment
from tests.factories import AccountFactory, UserFactory
from tests.segments.making import built, in_segment, larger_than, saved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def mira(live, page):
    """A marketing manager, logged in."""
    user = UserFactory(username="mira", role=Role.MARKETING_MANAGER)
    live.log_in(page, user)
    return user


@pytest.fixture
def segment(transactional_db, mira):
    """A segment with two members and a reader."""
    AccountFactory(name="Small AG", employee_count=60)
    AccountFactory(name="Large AG", employee_count=900)
    segment = built(larger_than(50), "Large ones", user=mira)
    saved(in_segment(segment.slug), "Reader of it", mira)
    return segment


def change(page, segment, number):
    """Open the builder and write another number of employees."""
    page.goto(f"/segments/{segment.slug}/edit/")
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    page.locator(".sb-number").first.fill(str(number))
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_a_dry_run_stands_before_saving(page, segment):
    change(page, segment, 500)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 account would leave")
    expect(dialog.get_by_role("link", name="Small AG")).to_be_visible()
    expect(dialog.get_by_role("link", name="Reader of it")).to_be_visible()
    dialog.get_by_role("button", name="Keep editing").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Save", exact=True).click()
    dialog.get_by_role("button", name="Save the rule").click()
    page.wait_for_url(f"**/segments/{segment.slug}/")
    segment.refresh_from_db()
    assert segment.rules_version == 2


def test_two_people_get_both_versions(page, segment, mira):
    page.goto(f"/segments/{segment.slug}/edit/")
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    other = UserFactory(username="otto", role=Role.ADMIN, first_name="Otto", last_name="Other")
    update_segment(other, Segment.objects.get(pk=segment.pk), {"rules": larger_than(70)})
    page.locator(".sb-number").first.fill("500")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save the rule").click()
    page.wait_for_url("**/conflict/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Somebody else saved")
    for employees in (50, 70, 500):
        expect(page.locator(".conflict")).to_contain_text(f"{employees} employees")
    page.get_by_role("button", name="Keep editing mine").click()
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    expect(page.locator(".sb-number").first).to_have_value("500")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save the rule").click()
    page.wait_for_url(f"**/segments/{segment.slug}/")
    assert Segment.objects.get(pk=segment.pk).rules_version == 3


def test_a_partition_is_put_into_order(page, segment):
    page.goto("/segments/partitions/new/")
    page.get_by_label("Name required").fill("Tiers")
    page.get_by_label("Name of the part").first.fill("First")
    page.get_by_label("Filled by").first.select_option("reader-of-it")
    page.get_by_role("button", name="Add a part").click()
    rows = page.locator("[data-rows] > li")
    expect(rows).to_have_count(3)
    rows.last.get_by_label("Name of the part").fill("Second")
    rows.last.get_by_label("Filled by").select_option("large-ones")
    rows.nth(1).get_by_role("button", name="Remove the part").click()
    rows.last.get_by_role("button", name="Move up").click()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tiers")
    names = list(Partition.objects.get().parts.values_list("name", flat=True))
    assert names == ["Second", "First", "Everyone else"]
