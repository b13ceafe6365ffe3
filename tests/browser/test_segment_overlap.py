"""The overlap of segments in Chromium: choose three, read who is in exactly which, open a figure's records."""

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
def segments(live, page):
    """Three segments: Adler and Berger in Big and in German, Adler alone in Key; before a marketing manager."""
    user = UserFactory(username="mira", role=Role.MARKETING_MANAGER)
    adler, berger = AccountFactory(name="Adler Werke"), AccountFactory(name="Berger Klein")
    members = {"Big": [adler, berger], "German": [adler, berger], "Key": [adler]}
    with transaction.atomic():
        hold_state()  # one after the other with the refreshes of the worker beside this
        for name, accounts in members.items():
            # Kept by hand: the worker that runs beside this would put a rule's members right.
            found = saved({}, name, user=user, kind="static")
            for account in accounts:
                SegmentOverride.objects.create(
                    segment=found, account=account, mode=OverrideMode.INCLUDE, reason="By hand"
                )
            keys = BitMap(account.pk for account in accounts)
            store_difference(
                found, keys, BitMap(), as_of=timezone.now(), cause=RunCause.MANUAL, version=found.rules_version
            )
    live.log_in(page, user)


def test_the_chart_says_who_is_in_exactly_which(page, segments):
    page.goto("/segments/overlap/?segments=big,german,key")
    expect(page.locator(".ov-chart a.ov-row")).to_have_count(2)
    page.get_by_text("As a table").click()
    expect(page.get_by_role("row", name="Big, German, Key")).to_contain_text("1")
    assert not [v for v in Axe().run(page).response["violations"] if v["impact"] in ("serious", "critical")]
    first = page.locator(".ov-chart a.ov-row").first
    is_all_three = "Key" in (first.get_attribute("aria-label") or "")
    first.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/accounts/**")
    expect(page.get_by_role("link", name="Adler Werke", exact=True)).to_have_count(int(is_all_three))
    expect(page.get_by_role("link", name="Berger Klein", exact=True)).to_have_count(int(not is_all_three))
