"""The history of a segment in Chromium: go back in time, see who was in then, and ask for it in the builder."""

from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect
from pyroaring import BitMap

from segmentation_crm.common.models import Role
from segments.choices import OverrideMode, RunCause
from segments.models import SegmentOverride
from segments.services.rebuilding import hold_state
from segments.services.storing import store_difference
from tests.factories import AccountFactory, UserFactory
from tests.segments.making import saved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def segment(live, page):
    """A segment that Adler was in until ten days ago and Berger is in since, before a marketing manager."""
    user = UserFactory(username="mira", role=Role.MARKETING_MANAGER)
    adler, berger = AccountFactory(name="Adler Werke"), AccountFactory(name="Berger Klein")
    # Kept by hand: the worker that runs beside this would put a rule's members right.
    with transaction.atomic():
        hold_state()  # one after the other with the refreshes of that worker
        found = saved({}, "Key accounts", user=user, kind="static")
        SegmentOverride.objects.create(segment=found, account=berger, mode=OverrideMode.INCLUDE, reason="By hand")
        for days, entered, left in ((40, [adler.pk], []), (10, [berger.pk], [adler.pk])):
            moment = timezone.now() - timedelta(days=days)
            store_difference(
                found, BitMap(entered), BitMap(left), as_of=moment, cause=RunCause.DATA, version=found.rules_version
            )
    live.log_in(page, user)
    return found


def test_the_history_tab_shows_other_members_for_a_day_in_the_past(page, segment):
    page.goto(f"/segments/{segment.slug}/")
    page.get_by_role("navigation", name="Segment", exact=True).get_by_role("link", name="History").click()
    rows = page.locator("#who tbody tr")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Berger Klein")
    then = (timezone.localdate() - timedelta(days=20)).isoformat()
    page.get_by_label("to the end of").fill(then)
    page.get_by_role("button", name="Show").click()
    expect(rows.first).to_contain_text("Adler Werke")
    expect(page.locator("#who")).to_contain_text("Members at the end of")
    page.get_by_text("The same as a table").click()
    expect(page.get_by_role("columnheader", name="Entered").first).to_be_visible()
    assert not [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]


def test_the_builder_asks_who_was_in(page, segment):
    page.goto("/segments/new/")
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    page.get_by_role("button", name="Segment", exact=True).click()
    page.get_by_label("Segment: operator").select_option("left_in_last")
    page.get_by_label("Segments", exact=True).click()
    page.keyboard.type("Key")
    page.get_by_role("option", name="Key accounts").click()
    expect(page.locator("[data-result][data-state=done] [data-panel=big]")).to_have_text("1")
    expect(page.get_by_text("left the segment Key accounts in the last 30 days").first).to_be_visible()
