"""Finding by keyboard in a real browser: the palette, opened lately, shortcuts, switching single keys off."""

import pytest
from playwright.sync_api import expect

from segmentation_crm.common.models import RecentItem
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, UserFactory
from tests.support.processes import wait_until

from .test_shell import serious

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def at_home(live, page):
    """A page at home, logged in as an admin, with a few records."""
    page.account = AccountFactory(name="Kessler Werke", domain="kessler.example")
    ContactFactory(account=page.account, first_name="Anna", last_name="Kessler", email="anna@kessler.example")
    OpportunityFactory(account=page.account, name="Kessler rollout")
    page.admin = UserFactory(username="admin")
    live.log_in(page, page.admin)
    page.goto(f"{live.url}/")
    return page


def options(page):
    """Return what the palette shows."""
    return page.locator("#palette [role=option] .palette-words").all_text_contents()


@pytest.mark.parametrize("key", ["/", "Control+k"])
def test_one_key_finds_every_kind_and_enter_opens(live, at_home, key):
    at_home.keyboard.press(key)
    expect(at_home.get_by_role("combobox", name="Find records, pages and actions")).to_be_focused()
    at_home.keyboard.type("kessler")
    expect(at_home.locator("#palette")).to_contain_text("Kessler rollout")
    assert options(at_home) == ["Kessler Werke", "Anna Kessler", "Kessler rollout"]
    at_home.keyboard.press("ArrowDown")
    at_home.keyboard.press("ArrowUp")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url(f"**/accounts/{at_home.account.pk}/")


def test_pages_and_actions_are_found_by_name(live, at_home):
    at_home.keyboard.press("/")
    at_home.keyboard.type("new seg")
    expect(at_home.locator("#palette")).to_contain_text("New segment")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url("**/segments/new/**")
    at_home.keyboard.press("Control+k")
    at_home.keyboard.type("dark")
    expect(at_home.locator("#palette")).to_contain_text("Switch to the dark theme")
    at_home.keyboard.press("Enter")
    expect(at_home.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_a_call_is_logged_from_the_palette_about_the_record_that_is_open(live, at_home):
    at_home.goto(f"{live.url}/accounts/{at_home.account.pk}/")
    at_home.keyboard.press("/")
    at_home.keyboard.type("log a call")
    expect(at_home.locator("#palette")).to_contain_text("Log a call")
    at_home.keyboard.press("Enter")
    expect(at_home.locator("#quick-log .log-about")).to_contain_text("Kessler Werke")


def test_a_fast_enter_opens_what_was_typed_not_what_was_shown(live, at_home):
    at_home.keyboard.press("/")
    expect(at_home.locator("#palette")).to_contain_text("Actions")
    at_home.keyboard.type("anna kessler")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url("**/contacts/**")


def test_what_was_opened_comes_first_next_time(live, at_home):
    at_home.goto(f"{live.url}/accounts/{at_home.account.pk}/")
    wait_until(lambda: RecentItem.objects.filter(user=at_home.admin, kind="account").exists(), what="the visit")
    at_home.goto(f"{live.url}/")
    at_home.keyboard.press("/")
    expect(at_home.locator("#palette .palette-title").first).to_have_text("Opened lately")
    assert options(at_home)[0] == "Kessler Werke"


def test_keys_are_listed_lead_to_pages_and_can_be_switched_off(live, at_home):
    at_home.keyboard.press("g")
    at_home.keyboard.press("a")
    at_home.wait_for_url("**/accounts/")
    at_home.keyboard.press("?")
    dialog = at_home.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    assert serious(at_home) == []
    dialog.get_by_label("Use keys without Ctrl").uncheck()
    dialog.get_by_role("button", name="Close").click()
    at_home.keyboard.press("?")
    expect(dialog).to_be_hidden()
    at_home.keyboard.press("l")
    expect(at_home.locator("#quick-log")).to_be_hidden()
    at_home.keyboard.press("Control+k")
    expect(at_home.locator("#palette")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_palette_keeps_nobody_out(live, at_home, scheme):
    at_home.emulate_media(color_scheme=scheme)
    at_home.keyboard.press("/")
    at_home.keyboard.type("kessler")
    expect(at_home.locator("#palette")).to_contain_text("Kessler rollout")
    assert serious(at_home) == []
    at_home.screenshot(path=f"/tmp/palette-{scheme}.png")
