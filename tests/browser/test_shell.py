"""The shell in a real browser: dark mode, phone width, keyboard, and what an accessibility checker finds."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def at_home(live, page):
    """A page at home, logged in as an admin, with a few records."""
    account = AccountFactory(name="Kessler Werke", domain="kessler.example", country="DE", employee_count=430)
    ContactFactory(account=account, first_name="Anna", last_name="Brandt")
    OpportunityFactory(account=account, name="Rollout")
    live.log_in(page, UserFactory(username="admin"))
    page.goto(f"{live.url}/")
    page.account = account
    return page


def serious(page):
    """Return what axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"][:160]) for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_main_pages_keep_nobody_out(live, at_home, scheme):
    at_home.emulate_media(color_scheme=scheme)
    for path in (
        "/",
        "/accounts/",
        f"/accounts/{at_home.account.pk}/",
        "/accounts/new/",
        "/search/?q=kess",
        "/profile/",
    ):
        at_home.goto(live.url + path)
        assert at_home.locator("html").get_attribute("data-bs-theme") == scheme
        assert serious(at_home) == [], path


def test_log_in_keeps_nobody_out(live, page):
    page.goto(f"{live.url}/account/login/")
    assert serious(page) == []
    assert page.evaluate("document.activeElement.name") == "login"


def test_the_theme_chosen_is_kept(live, at_home):
    at_home.emulate_media(color_scheme="light")
    at_home.get_by_label("Your menu").click()
    at_home.get_by_role("button", name="Dark").click()
    assert at_home.locator("html").get_attribute("data-bs-theme") == "dark"
    at_home.goto(f"{live.url}/accounts/")
    assert at_home.locator("html").get_attribute("data-bs-theme") == "dark"
    at_home.get_by_label("Your menu").click()
    assert at_home.get_by_role("button", name="Dark").get_attribute("aria-pressed") == "true"


def test_the_menu_folds_and_stays_folded(live, at_home):
    at_home.get_by_role("button", name="Fold or unfold the menu").click()
    at_home.goto(f"{live.url}/accounts/")
    assert at_home.locator(".side").bounding_box()["width"] < 80


def test_keyboard_reaches_content_and_search(live, at_home):
    at_home.keyboard.press("Tab")
    assert at_home.evaluate("document.activeElement.className") == "skip-link"
    at_home.keyboard.press("Enter")
    assert at_home.evaluate("document.activeElement.id") == "main"
    at_home.keyboard.press("Tab")
    at_home.locator("[data-find]").focus()
    at_home.keyboard.type("kess")
    at_home.keyboard.press("Enter")
    at_home.wait_for_url("**/search/?q=kess")
    at_home.get_by_role("link", name="Kessler Werke").click()
    at_home.wait_for_url(f"**/accounts/{at_home.account.pk}/")


def test_a_phone_shows_cards_and_a_menu_that_opens(live, at_home):
    at_home.set_viewport_size({"width": 390, "height": 844})
    at_home.goto(f"{live.url}/accounts/")
    assert at_home.evaluate("document.documentElement.scrollWidth") <= 390
    assert not at_home.locator(".side").is_visible()
    at_home.get_by_role("button", name="Menu", exact=True).click()
    at_home.get_by_role("link", name="Contacts").wait_for(state="visible")
    at_home.keyboard.press("Escape")
    at_home.locator(".side").wait_for(state="hidden")
    for path in ("/", f"/accounts/{at_home.account.pk}/", "/accounts/new/", "/opportunities/"):
        at_home.goto(live.url + path)
        assert at_home.evaluate("document.documentElement.scrollWidth") <= 390, path


def test_filters_apply_as_chosen_and_leave_the_address_clean(live, at_home):
    at_home.goto(f"{live.url}/accounts/")
    at_home.locator("select[name=account_type]").select_option("prospect")
    at_home.wait_for_url("**/accounts/?account_type=prospect")
    assert at_home.get_by_role("link", name="Kessler Werke").is_visible()


def test_a_contact_is_added_with_the_account_found_while_typing(live, at_home):
    at_home.goto(f"{live.url}/contacts/new/")
    at_home.get_by_label("First name").fill("Tomás")
    at_home.locator("#id_account-ts-control").fill("kess")
    at_home.locator(".ts-dropdown .option", has_text="Kessler Werke").click()
    at_home.get_by_role("button", name="Save").click()
    at_home.get_by_role("heading", name="Tomás").wait_for()
    assert at_home.get_by_role("link", name="Kessler Werke").first.is_visible()
