"""Lists in Chromium: choose columns, build a rule for the list, keep it as a view, change it, save it, delete it."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from segmentation_crm.common.models import Role, SavedView, UserPreference
from tests.factories import AccountFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def accounts(live, page):
    """Three accounts, and a marketing manager on their list."""
    mira = UserFactory(username="mira", role=Role.MARKETING_MANAGER)
    AccountFactory(name="Adler Werke", country="DE", employee_count=400, city="Hamburg")
    AccountFactory(name="Berger Klein", country="DE", employee_count=4)
    AccountFactory(name="Caron Usines", country="FR", employee_count=400)
    live.log_in(page, mira)
    page.goto("/accounts/")
    return mira


def add_rule(page):
    """Build "at least 100 employees" in the builder that is open."""
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    page.get_by_role("button", name="Condition").click()
    page.keyboard.type("Employees")
    page.get_by_role("option").filter(has_text="Employees").first.click()
    page.locator("[data-builder] select.sb-op, [data-builder] select").nth(1).select_option("gte")
    page.locator("[data-builder] input[type=number], [data-builder] input[inputmode]").first.fill("100")
    expect(page.locator("[data-result][data-state=done] [data-panel=big]")).to_have_text("2")


def test_columns_are_chosen_and_ordered_by_keyboard(page, accounts):
    page.get_by_role("button", name="Columns").click()
    page.get_by_label("Find a column").fill("city")
    page.get_by_label("City", exact=True).check()
    expect(page.locator("[data-columns-shown] li").last).to_contain_text("City")
    up = page.get_by_role("button", name="Move City up")
    for _ in range(8):
        up.focus()
        page.keyboard.press("Enter")
    page.get_by_role("button", name="Show these").click()
    expect(page.locator(".grid-table thead th").nth(2)).to_have_text("City")
    expect(page.get_by_role("cell", name="Hamburg", exact=True)).to_be_visible()
    assert UserPreference.objects.get(user=accounts).value["keys"][:2] == ["name", "city"]


def test_a_rule_becomes_a_view_that_is_changed_saved_and_deleted(page, accounts):
    page.get_by_role("link", name="Advanced filter").click()
    add_rule(page)
    page.get_by_role("button", name="Show in the list").click()
    expect(page.locator(".rule-words")).to_contain_text("at least 100 employees")
    expect(page.locator(".grid-table tbody tr")).to_have_count(2)

    page.get_by_role("button", name="Save view").first.click()
    page.locator("#new_view_name").fill("Large ones")
    page.locator("#new-view-dialog").get_by_role("button", name="Save view").click()
    expect(page.get_by_role("link", name="Large ones")).to_have_attribute("aria-current", "page")
    expect(page.locator(".rule-words")).to_contain_text("at least 100 employees")

    page.get_by_role("button", name="More filters").click()
    page.locator("#filter-country").select_option("DE")
    expect(page.locator(".grid-table tbody tr")).to_have_count(1)
    expect(page.locator(".view-changed")).to_have_text("Changed")
    page.locator(".view-acts").get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".view-changed")).to_have_count(0)
    assert SavedView.objects.get().query == {"country": "DE"}

    page.get_by_role("link", name="Country: Germany Remove").click()
    expect(page.locator(".grid-table tbody tr")).to_have_count(2)
    page.get_by_label("What to do with the view").click()
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("button", name="Delete view").click()
    page.get_by_role("button", name="Bring it back").click()
    expect(page.get_by_role("link", name="Large ones")).to_have_attribute("aria-current", "page")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page, accounts, theme):
    SavedView.objects.create(record="account", name="Mine", owner=accounts, query={"country": "DE"})
    page.emulate_media(color_scheme=theme)
    for path in ("/accounts/?view=all", f"/accounts/?view={SavedView.objects.get().pk}&tier=1", "/tasks/"):
        page.goto(path)
        found = Axe().run(page)
        assert found.violations_count == 0, (path, found.generate_report())
    page.goto("/accounts/?view=all")
    page.get_by_role("button", name="Columns").click()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
