"""Evidence in Chromium: from a member's row to the tree, what would take it out, a past day; the undecided line."""

import pytest
from playwright.sync_api import expect

from segmentation_crm.common.models import Role
from tests.factories import AccountFactory, OpportunityFactory, UserFactory
from tests.segments.asking import condition, group, related
from tests.segments.making import built

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def segment(transactional_db):
    """A segment with one member, one near miss and one that lacks a figure."""
    inside = AccountFactory(name="Kessler Werke", country="DE", employee_count=400, annual_revenue=None)
    OpportunityFactory(account=inside, name="Rollout", amount=50_000)
    AccountFactory(name="Near miss", country="FR", employee_count=400)
    blank = AccountFactory(name="Blank", country="DE", employee_count=None)
    OpportunityFactory(account=blank, name="Trial", amount=9_000)
    return built(
        group(
            condition("account.employee_count", "gte", 200),
            group(
                condition("account.country", "eq", "DE"),
                condition("account.annual_revenue", "gte", 10**7),
                combinator="or",
            ),
            related("account.opportunities", "some", condition("opportunity.amount", "gte", 1000)),
        ),
        "Large in Germany",
    )


def test_a_member_row_leads_to_its_evidence(live, page, segment):
    live.log_in(page, UserFactory(username="mira", role=Role.MARKETING_MANAGER))
    page.goto(f"/segments/{segment.slug}/")
    expect(page.get_by_role("link", name="1 undecided")).to_be_visible()
    page.get_by_role("link", name="Why is Kessler Werke in?").click()
    tree = page.get_by_role("list", name="The rule, line by line")
    expect(tree).to_contain_text("At least 200 employees: met")
    expect(tree).to_contain_text("400 employees")
    expect(tree.get_by_role("link", name="Rollout")).to_be_visible()
    change = page.locator("section", has=page.get_by_role("heading", name="What would take it out"))
    expect(change).to_contain_text("400 employees")
    page.get_by_label("Day", exact=True).fill("2020-01-31")
    page.get_by_role("button", name="Show").click()
    expect(page.locator("#evidence")).to_contain_text("Not recorded")
    page.get_by_role("link", name="Why", exact=True).first.click()
    expect(page.locator("#misses")).to_contain_text("Near miss")
    page.get_by_role("link", name="1 undecided").click()
    expect(page.get_by_role("link", name="Blank", exact=True)).to_be_visible()


def test_the_builder_says_who_is_undecided(live, page, segment):
    live.log_in(page, UserFactory(username="mira", role=Role.MARKETING_MANAGER))
    page.goto(f"/segments/{segment.slug}/edit/")
    panel = page.locator("[data-panel=undecided]")
    expect(panel).to_contain_text("1 undecided: data is missing.")
    expect(panel).to_contain_text("Employees would settle 1 of them.")
    panel.get_by_role("link").click()
    expect(page.get_by_role("link", name="Blank", exact=True)).to_be_visible()
