"""Choosing rows in Chromium: by mouse and keyboard, all that match, tag them, export them, undo."""

import csv
import re

import pytest

from accounts.models import Contact, ContactValue, Term
from segmentation_crm.common.models import BulkAct, Export
from tests.factories import UserFactory

pytestmark = [pytest.mark.e2e, pytest.mark.xdist_group("live")]


@pytest.fixture
def people(live):
    rows = [
        Contact(first_name="Ann", last_name=f"Berg {n:03}", country="DE", full_name_folded=f"ann berg {n:03}")
        for n in range(640)
    ]
    return Contact.objects.bulk_create([*rows, Contact(last_name="Other", country="FR", full_name_folded="other")])


def test_all_that_match_are_tagged_in_the_background_and_exported(live, page, people, tmp_path):
    tag = Term.objects.create(vocabulary="tag", name="Fair", slug="fair", name_folded="fair")
    user = UserFactory(role="admin")
    live.log_in(page, user)
    page.goto("/contacts/?country=DE")
    bar = page.locator("[data-bulk]")
    assert not bar.get_by_role("button", name="Add tags").is_visible()
    page.locator("[data-select-page]").check()
    assert bar.locator("[data-bulk-count]").inner_text() == "50 contacts chosen"
    bar.get_by_role("button", name="Choose all that this list shows").click()
    assert "All contacts" in bar.locator("[data-bulk-count]").inner_text()
    bar.get_by_role("button", name="Add tags").click()
    dialog = page.locator("#bulk-dialog")
    dialog.get_by_role("heading", name="Add tags: 640 contacts").wait_for()
    assert "runs in the background" in dialog.inner_text()
    dialog.locator(".ts-control input").first.fill("Fair")
    page.locator(".ts-dropdown .option", has_text="Fair").first.click()
    page.keyboard.press("Escape")
    if not dialog.is_visible():
        bar.get_by_role("button", name="Add tags").click()
    dialog.get_by_role("button", name=re.compile("Tag 640 contacts")).click()
    page.locator(".kpi").first.wait_for(timeout=45_000)
    assert page.locator(".kpi").first.inner_text().split() == ["Changed", "640", "of", "640", "chosen"]
    assert ContactValue.objects.filter(field="tags", term=tag).count() == 640
    assert BulkAct.objects.get().list_url.startswith("/contacts/?")
    # The export of the same list.
    page.get_by_role("link", name="Back to the list").click()
    page.locator(".view-export summary").click()
    page.locator(".view-export").get_by_role("button", name="CSV").click()
    page.get_by_role("link", name="Download").wait_for(timeout=45_000)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download").click()
    waiting.value.save_as(tmp_path / "export.csv")
    with (tmp_path / "export.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 641
    assert rows[1][0] == "Ann Berg 000"
    assert waiting.value.suggested_filename.startswith("Contacts ")
    assert Export.objects.get().rows == 640


def test_rows_are_chosen_by_keyboard_and_kept_over_pages(live, page, people):
    live.log_in(page, UserFactory(role="admin"))
    page.goto("/contacts/?country=DE")
    boxes = page.locator('input[name="pk"][form="bulk-form"]')
    boxes.nth(1).focus()
    page.keyboard.press("Space")
    boxes.nth(5).click(modifiers=["Shift"])
    count = page.locator("[data-bulk-count]")
    assert count.inner_text() == "5 contacts chosen"
    page.get_by_role("link", name=re.compile("Next")).first.click()
    page.wait_for_url("**cursor**")
    assert count.inner_text() == "5 contacts chosen"
    boxes.nth(0).check()
    assert count.inner_text() == "6 contacts chosen"
    page.locator("[data-bulk]").get_by_role("button", name="Edit").click()
    dialog = page.locator("#bulk-dialog")
    dialog.get_by_role("heading", name="Edit: 6 contacts").wait_for()
    dialog.get_by_label("Field", exact=False).first.select_option("do_not_contact")
    dialog.get_by_label("New value", exact=False).first.select_option("true")
    dialog.get_by_role("button", name="Change 6 contacts").click()
    page.get_by_role("button", name="Undo", exact=True).first.wait_for()
    assert Contact.objects.filter(do_not_contact=True).count() == 6
    page.locator("[data-dialog-open=undo-dialog]").click()
    page.locator("#undo-dialog").get_by_role("button", name="Undo").click()
    page.locator(".kpi .l", has_text="Put back").wait_for()
    assert Contact.objects.filter(do_not_contact=True).count() == 0
    page.goto("/contacts/?country=DE")
    assert count.inner_text() == ""
