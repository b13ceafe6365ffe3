"""Two days in the product, walked in Chromium with a real worker: a rep's and an admin's."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Account, AccountValue, Activity, Contact, Import, Opportunity, Pipeline
from accounts.services.multi_values import set_multi_values
from accounts.services.vocabularies import add_term
from segmentation_crm.common.models import Role
from segments.models import Segment, SegmentMembership
from tests import factories as make
from tests.support.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def rep():
    """A rep with an account, a person, an open deal and a task due today."""
    rep = make.UserFactory(username="mira", first_name="Mira", role=Role.SALES_REP, team=make.TeamFactory())
    account = make.AccountFactory(name="Kessler Werke", domain="kessler.example", owner=rep)
    make.ContactFactory(account=account, first_name="Anna", last_name="Brandt", owner=rep)
    stage = Pipeline.objects.get(is_default=True).stages.get(slug="sales-qualification")
    rep.deal = make.OpportunityFactory(account=account, owner=rep, name="Rollout", stage=stage, amount=12_000)
    make.TaskFactory(
        owner=rep, account=account, title="Call Kessler back", due_at=timezone.now() + dt.timedelta(minutes=5)
    )
    rep.account = account
    return rep


def test_a_reps_day(live, page, rep):
    # Log in: a rep's first page is the rep's day.
    page.goto(f"{live.url}/account/login/")
    page.fill("input[name=login]", rep.username)
    page.fill("input[name=password]", make.PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My day", level=1)).to_be_visible()
    task = page.locator("[id^=task-]", has_text="Call Kessler back")
    # Open the account from the task.
    task.get_by_role("link", name="Kessler Werke").click()
    expect(page.get_by_role("heading", name="Kessler Werke", level=1)).to_be_visible()
    # Log a call: one key, one button.
    page.wait_for_load_state("networkidle")
    page.keyboard.press("l")
    dialog = page.locator("#quick-log")
    dialog.get_by_label("What was said").fill("Wants the offer by Friday")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#log-toast")).to_contain_text("Call logged")
    call = Activity.objects.get(type="call")
    assert (call.account, call.user, call.text) == (rep.account, rep, "Wants the offer by Friday")
    page.reload()
    expect(page.locator("#main")).to_contain_text("Wants the offer by Friday")
    # Move the deal on the board.
    page.keyboard.press("g")
    page.keyboard.press("b")
    card = page.locator(f'[data-deal="{rep.deal.pk}"]')
    card.locator("summary").click()
    card.get_by_role("button", name="Proposal", exact=True).click()
    wait_until(lambda: Opportunity.objects.get(pk=rep.deal.pk).stage.slug == "sales-proposal", 10, "the move")
    # Add the next step, on the deal.
    card.get_by_role("link", name="Rollout").click()
    expect(page.get_by_role("heading", name="Rollout", level=1)).to_be_visible()
    step = page.locator("#deal-next")
    step.get_by_label("What").fill("Send the offer")
    step.get_by_label("Until").fill((timezone.localdate() + dt.timedelta(days=2)).isoformat())
    step.get_by_role("button", name="Save").click()
    wait_until(lambda: Opportunity.objects.get(pk=rep.deal.pk).next_step == "Send the offer", 10, "the next step")
    # And done: the task leaves the day.
    page.keyboard.press("g")
    page.keyboard.press("m")
    page.get_by_role("button", name="Done: Call Kessler back").click()
    expect(page.locator("#main")).to_contain_text("Done: Call Kessler back")


FILE = (
    "Company,Web domain,Employees\nAdler AG,adler.example,120\nBerg GmbH,berg.example,many\nCaron SA,caron.example,x\n"
)


@pytest.fixture
def admin(live, page):
    """An admin, logged in, with an account that has a word twice."""
    admin = make.UserFactory(username="admin", role=Role.ADMIN)
    live.log_in(page, admin)
    return admin


def test_an_admins_day(live, page, admin):
    account = make.AccountFactory(name="Kessler Werke")
    gone = add_term("tag", "Vip")
    into = add_term("tag", "VIP customer")
    set_multi_values(account, "tags", [gone])
    # Import a file of which two rows are wrong.
    page.goto(f"{live.url}/imports/new/?type=accounts")
    page.set_input_files("input[type=file]", files=[{"name": "a.csv", "mimeType": "text/csv", "buffer": FILE.encode()}])
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name="Import").click()
    expect(page.get_by_role("link", name="Fix them here")).to_be_visible(timeout=30_000)
    assert set(Account.objects.values_list("name", flat=True)) == {"Kessler Werke", "Adler AG"}
    # Put the two right.
    page.get_by_role("link", name="Fix them here").click()
    wrong = page.locator("input[aria-invalid=true]")
    expect(wrong).to_have_count(2)
    wrong.nth(0).fill("40")
    wrong.nth(1).fill("700")
    page.get_by_role("button", name="Import the changed rows").click()
    wait_until(lambda: Account.objects.count() == 4, 30, "the two rows")
    assert Account.objects.get(name="Caron SA").employee_count == 700
    assert Import.objects.count() == 2
    # Merge two words of a vocabulary.
    page.goto(f"{live.url}/settings/vocabularies/tag/")
    page.get_by_role("link", name="Vip", exact=True).click()
    page.get_by_role("link", name="Merge into another").click()
    page.locator(".ts-control").click()
    page.keyboard.type("VIP c")
    page.get_by_role("option", name="VIP customer").click()
    page.get_by_role("button", name="Show what this touches").click()
    page.get_by_role("button", name="Merge").click()
    expect(page.get_by_text("references moved")).to_be_visible()
    assert AccountValue.objects.get(account=account).term == into
    # Add a field of one's own, and fill it.
    page.goto(f"{live.url}/settings/fields/")
    page.get_by_role("link", name="New field").first.click()
    page.get_by_label("Label").fill("Diving depth")
    page.get_by_label("Type").select_option("integer")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("“Diving depth” is saved")).to_be_visible()
    page.goto(f"{live.url}/accounts/{account.pk}/edit/")
    page.get_by_label("Diving depth").fill("12")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Kessler Werke", level=1)).to_be_visible()
    # Use it in a rule: the worker finds who is in.
    page.goto(f"{live.url}/segments/new/")
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    page.locator(".sb-group.root > .sb-rules > .sb-adds").get_by_role("button", name="Condition").click()
    page.keyboard.type("Diving depth")
    page.get_by_role("option").filter(has_text="Diving depth").first.click()
    page.get_by_label("Diving depth: value", exact=True).fill("12")
    expect(page.locator("[data-result][data-state=done] [data-panel=big]")).to_have_text("1")
    page.get_by_label("Name of the segment").fill("Divers")
    page.get_by_role("button", name="Save and activate").click()
    expect(page.get_by_role("heading", name="Divers", level=1)).to_be_visible()
    wait_until(lambda: SegmentMembership.objects.filter(segment__name="Divers").count() == 1, 30, "the member")
    assert Segment.objects.get().memberships.get().account == account
    assert not Contact.objects.exists()
