"""The builder in Chromium, over a real web server and a separate real worker: click a rule together, see who is in."""

import pytest
from django.db.models import F
from playwright.sync_api import expect

from segmentation_crm.common.models import Role
from segments.models import Segment
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, UserFactory
from tests.segments.making import built, larger_than, saved

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


class Builder:
    """What a person does in the builder, by the names that a screen reader speaks."""

    def __init__(self, page):
        self.page = page

    def open(self, path="/segments/new/"):
        self.page.goto(path)
        expect(self.page.locator("[data-builder][data-ready=true]")).to_be_visible()

    def pick(self, text):
        """Type into the open list and take the first hit."""
        self.page.keyboard.type(text)
        option = self.page.get_by_role("option").filter(has_text=text).first
        expect(option).to_be_visible()
        option.click()

    def add(self, button, text, inside=None):
        """Press one of the "+" buttons and pick a field or relation."""
        (inside or self.root).locator(":scope > .sb-rules > .sb-adds").get_by_role("button", name=button).click()
        self.pick(text)

    @property
    def root(self):
        return self.page.locator(".sb-group.root")

    def row(self, name):
        return self.page.get_by_role("group", name=name, exact=True)

    def expect_count(self, count):
        expect(self.page.locator("[data-result][data-state=done] [data-panel=big]")).to_have_text(str(count))


@pytest.fixture
def builder(live, page):
    """The builder, logged in as a marketing manager."""
    live.log_in(page, UserFactory(username="mira", role=Role.MARKETING_MANAGER))
    return Builder(page)


@pytest.fixture
def world(transactional_db):
    """Four accounts of which one has all that the rule wants."""
    right = AccountFactory(name="Kessler Werke", country="DE", employee_count=400)
    OpportunityFactory(account=right, name="Rollout", amount=50_000)
    no_deal = AccountFactory(name="No deal", country="DE", employee_count=400)
    small_deal = AccountFactory(name="Small deal", country="DE", employee_count=400)
    OpportunityFactory(account=small_deal, name="Trial", amount=10)
    customer = AccountFactory(name="Customer", country="FR", employee_count=400, lifecycle_stage="customer")
    OpportunityFactory(account=customer, name="Renewal", amount=90_000)
    AccountFactory(name="Too small", country="DE", employee_count=3)
    return right, no_deal, small_deal, customer


def test_a_nested_segment_built_by_clicking_gets_the_right_members(live, builder, world):
    page = builder.page
    builder.open()
    builder.add("Condition", "Employees")
    page.get_by_label("Employees: value", exact=True).fill("100")
    builder.expect_count(4)

    builder.add("About related records", "Opportunities")
    block = builder.row("Related opportunities")
    block.get_by_role("button", name="Field: choose").click()
    builder.pick("Amount")
    page.get_by_label("Amount: value", exact=True).fill("1,000")
    builder.expect_count(2)

    builder.add("Group", "Lifecycle stage")
    page.get_by_label("Lifecycle stage: value", exact=True).select_option(label="Customer")
    builder.expect_count(1)
    page.get_by_label("How these conditions combine", exact=True).nth(1).select_option("not or")
    builder.expect_count(1)
    expect(page.locator("[data-panel=sample]")).to_contain_text("Kessler Werke")
    expect(page.locator("[data-sentence]")).to_contain_text("at least 100 employees")
    expect(page.locator("[data-sentence]")).to_contain_text("Customer")
    expect(builder.row("Employees").locator(".sb-count b")).to_have_text("4")
    expect(page.locator("[data-panel=funnel] .num")).to_have_text(["5", "4", "2", "1"])

    page.get_by_label("Name of the segment").fill("Ready to expand")
    page.get_by_role("button", name="Save and activate").click()
    page.wait_for_url("**/segments/ready-to-expand/")
    members = page.locator("section", has=page.get_by_role("heading", name="Members")).last
    expect(members.get_by_role("link", name="Kessler Werke", exact=True)).to_be_visible(timeout=30_000)
    expect(members.locator("tbody tr")).to_have_count(1)
    expect(page.locator(".head-sub")).to_contain_text("Active")
    segment = Segment.objects.get(slug="ready-to-expand")
    assert [row.account.name for row in segment.members()] == ["Kessler Werke"]
    assert segment.rules["rules"][2]["not"] is True


def test_everything_works_by_keyboard_with_undo(live, builder, world):
    page, keys = builder.page, builder.page.keyboard
    builder.open()
    page.get_by_role("button", name="Condition").focus()
    keys.press("Enter")
    keys.type("country")
    keys.press("Enter")
    expect(page.get_by_label("Country: operator")).to_be_focused()
    keys.press("Tab")
    keys.type("germ")
    expect(page.get_by_role("option", name="Germany")).to_be_visible()
    keys.press("Enter")
    builder.expect_count(4)
    page.get_by_role("button", name="Condition").focus()
    keys.press("Enter")
    keys.type("employees")
    keys.press("Enter")
    keys.press("Tab")
    keys.type("100")
    builder.expect_count(3)
    keys.press("Alt+ArrowUp")
    expect(builder.root.locator(".sb-row").first).to_contain_text("Employees")
    keys.press("Control+z")
    expect(builder.root.locator(".sb-row").first).to_contain_text("Country")
    for _ in ("the value", "the field", "the line"):
        keys.press("Control+z")
    builder.expect_count(4)
    keys.press("Control+Shift+z")
    expect(builder.root.locator(".sb-row")).to_have_count(2)


def test_an_unfinished_line_waits_and_a_wrong_one_is_marked(live, builder, world):
    page = builder.page
    builder.open()
    builder.add("Condition", "Employees")
    expect(builder.row("Employees")).to_contain_text("Choose a value")
    page.get_by_label("Employees: value", exact=True).fill("many")
    expect(builder.row("Employees").locator(".sb-error.bad")).to_be_visible()
    expect(page.get_by_label("Employees: value", exact=True)).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Name of the segment").fill("Wrong")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    page.get_by_label("Employees: value", exact=True).fill("100")
    builder.expect_count(4)
    assert not Segment.objects.exists()


def test_a_conflict_keeps_what_was_built(live, builder, world):
    page = builder.page
    segment = built(larger_than(50), "Large", user=UserFactory(role=Role.ADMIN))
    builder.open(f"/segments/{segment.slug}/edit/")
    builder.expect_count(4)
    Segment.objects.filter(pk=segment.pk).update(version=F("version") + 1)
    page.get_by_label("Employees: value", exact=True).fill("3")
    builder.expect_count(5)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Save the rule").click()
    page.wait_for_url("**/conflict/")
    expect(page.get_by_role("heading", name="Somebody else saved “Large” too")).to_be_visible()
    page.get_by_role("button", name="Take mine as a new version").click()
    page.wait_for_url("**/segments/large/")
    segment.refresh_from_db()
    assert segment.rules["rules"][0]["value"] == 3


def test_stored_rules_of_every_control_come_back_unchanged(live, builder, world):
    ContactFactory(account=world[0])
    days = {"n": 90, "unit": "day"}
    rules = {
        "combinator": "and",
        "rules": [
            {"field": "contact.seniority", "operator": "in", "value": ["director", "vp"]},
            {"field": "account.employee_count", "operator": "between", "value": [1, 2000]},
            {"field": "account.name", "operator": "contains", "value": "e"},
            {"field": "contact.buying_roles", "operator": "count", "value": {"operator": "lte", "value": 3}},
            {"field": "contact.updated_at", "operator": "in_last", "value": days},
            {"field": "contact.updated_at", "operator": "before", "value": {"ahead": days}},
            {"field": "contact.lifecycle_stage", "operator": "has_been", "value": {"for": days, "value": "lead"}},
            {"field": "account.annual_revenue", "operator": "top_percent", "value": 10},
            {"field": "account.customer_since", "operator": "in_period", "value": "this_year"},
            {"combinator": "or", "not": True, "rules": [{"field": "account.country", "operator": "eq", "value": "FR"}]},
            {
                "field": "account.opportunities",
                "aggregate": {"function": "sum", "of": "opportunity.amount"},
                "where": {"combinator": "and", "rules": [{"field": "opportunity.is_open", "operator": "is_true"}]},
                "operator": "gte",
                "value": 100,
            },
            {
                "field": "account.opportunities",
                "aggregate": {
                    "function": "ratio",
                    "of": {"combinator": "and", "rules": [{"field": "opportunity.is_open", "operator": "is_false"}]},
                },
                "where": {"combinator": "and", "rules": [{"field": "opportunity.is_won", "operator": "is_true"}]},
                "operator": "gte",
                "value": 0.5,
            },
        ],
    }
    segment = saved(rules, "All controls", UserFactory(role=Role.ADMIN), member_type="contact")
    builder.open(f"/segments/{segment.slug}/edit/")
    builder.expect_count(0)
    expect(builder.page.locator(".sb-error:not([hidden])")).to_have_count(0)
    builder.page.get_by_role("button", name="Save", exact=True).click()
    builder.page.wait_for_url("**/segments/all-controls/")
    after = Segment.objects.get(pk=segment.pk)
    assert after.rules == segment.rules
    assert after.rules_version == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_builder_and_segment_keep_nobody_out(live, builder, world, scheme):
    from axe_playwright_python.sync_playwright import Axe

    page = builder.page
    page.emulate_media(color_scheme=scheme)
    segment = saved(larger_than(50), "Large", UserFactory(role=Role.ADMIN))
    live.wait_for_jobs()
    for path in ("/segments/", f"/segments/{segment.slug}/", f"/segments/{segment.slug}/edit/"):
        page.goto(path)
        if path.endswith("edit/"):
            builder.expect_count(4)
        found = Axe().run(page).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:160]) for v in found if v["impact"] in ("serious", "critical")] == []


def test_on_a_phone_nothing_overflows_and_the_count_stays_in_view(live, builder, world):
    page = builder.page
    page.set_viewport_size({"width": 390, "height": 844})
    segment = saved(larger_than(50), "Large", UserFactory(role=Role.ADMIN))
    for path in ("/segments/", f"/segments/{segment.slug}/", f"/segments/{segment.slug}/edit/"):
        page.goto(path)
        page.wait_for_timeout(200)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
    builder.expect_count(4)
    box = page.locator("[data-panel=big]").bounding_box()
    assert box["y"] + box["height"] <= 844
