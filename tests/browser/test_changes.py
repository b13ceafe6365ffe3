"""Facts edited by keyboard, a change taken back, two accounts merged field by field, in Chromium."""

import pytest
from playwright.sync_api import expect

from accounts.models import Account
from tests.factories import AccountFactory, NoteFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def signed_in(live, page):
    """A page of somebody who is logged in as an admin; page errors fail the test."""
    page.problems = []
    page.on("pageerror", lambda error: page.problems.append(str(error)))
    live.log_in(page, UserFactory(username="admin"))
    yield page
    assert page.problems == []


def test_a_fact_is_edited_by_keyboard_and_the_change_undone(live, signed_in):
    account = AccountFactory(name="Kessler Werke", city="Ulm")
    page = signed_in
    page.goto(f"{live.url}/accounts/{account.pk}/")
    page.locator("#edit-city").focus()
    page.keyboard.press("Enter")
    field = page.locator("#fact-city input[name=city]")
    field.wait_for()
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#edit-city")).to_be_focused()
    assert page.locator("#fact-city .fact-value").inner_text() == "Ulm"
    page.keyboard.press("Enter")
    expect(field).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Bonn")
    page.keyboard.press("Enter")
    expect(page.locator("#edit-city")).to_be_focused()
    assert page.locator("#fact-city .fact-value").inner_text() == "Bonn"
    assert Account.objects.get(pk=account.pk).city == "Bonn"
    page.goto(f"{live.url}/accounts/{account.pk}/changes/")
    page.get_by_role("button", name="Undo this change of City").press("Enter")
    page.get_by_text("Undone: City.").wait_for()
    assert Account.objects.get(pk=account.pk).city == "Ulm"


def test_two_accounts_are_merged_field_by_field_and_parted_again(live, signed_in):
    kept = AccountFactory(name="Kessler Werke", city="Ulm", domain="kessler.example")
    gone = AccountFactory(name="Kessler Werke", city="Bonn", domain="kessler-werke.example")
    note = NoteFactory(account=gone, contact=None, opportunity=None)
    page = signed_in
    page.goto(f"{live.url}/accounts/{kept.pk}/")
    page.locator("summary", has_text="Duplicate?").click()
    page.get_by_role("link", name="compare and merge").click()
    page.get_by_role("radio", name="City: Bonn").check()
    page.get_by_role("radio", name="Domain: kessler.example").check()
    page.get_by_role("button", name="Merge into Kessler Werke").click()
    page.get_by_text("is merged into").wait_for()
    kept.refresh_from_db()
    note.refresh_from_db()
    assert (kept.city, kept.domain, note.account_id) == ("Bonn", "kessler.example", kept.pk)
    page.goto(f"{live.url}/accounts/{gone.pk}/")
    page.wait_for_url(f"**/accounts/{kept.pk}/")
    page.goto(f"{live.url}/accounts/{kept.pk}/changes/")
    page.get_by_role("button", name="Undo merge").click()
    page.get_by_text("The merge is undone").wait_for()
    kept.refresh_from_db()
    note.refresh_from_db()
    assert (kept.city, note.account_id) == ("Ulm", gone.pk)


def test_the_delete_dialog_says_what_it_touches(live, signed_in):
    account = AccountFactory(name="Kessler Werke")
    NoteFactory(account=account, contact=None, opportunity=None)
    page = signed_in
    page.goto(f"{live.url}/accounts/{account.pk}/")
    page.locator(".record-menu > summary").click()
    page.get_by_role("link", name="Delete…").click()
    dialog = page.locator("#record-dialog")
    dialog.get_by_text("notes").wait_for()
    dialog.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Restore Kessler Werke").click()
    page.get_by_text("Kessler Werke is back.").wait_for()
