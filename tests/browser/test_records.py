"""The account page in Chromium: chips, the timeline's filter, a file, a role; nothing for axe in light and dark."""

import datetime as dt

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Attachment, Need
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountFactory,
    ActivityFactory,
    ContactFactory,
    NeedFactory,
    NoteFactory,
    TermFactory,
    UserFactory,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]


@pytest.fixture
def account(live, page):
    """An account of the rep who is logged in, with people, a call and a note."""
    rep = UserFactory(username="mira", role=Role.SALES_REP)
    account = AccountFactory(name="Kessler Werke", owner=rep)
    anna = ContactFactory(account=account, first_name="Anna", last_name="Brandt")
    TermFactory(vocabulary="need", name="Reduce stock")
    TermFactory(vocabulary="need", name="Reduce freight cost")
    NeedFactory(account=account, need__name="Faster quotes", evidence="inferred_usage")
    ActivityFactory(
        contact=anna, type="call", subject="Fair follow-up", occurred_at=timezone.now() - dt.timedelta(hours=2)
    )
    NoteFactory(account=account, author=rep, text="They move in May, ask @mira")
    live.log_in(page, rep)
    page.goto(f"/accounts/{account.pk}/")
    return account


def test_needs_are_kept_by_typing_and_taken_off_with_undo(account, page):
    needs = page.locator("#known-needs")
    needs.get_by_role("combobox").click()
    page.keyboard.type("stock")
    expect(page.get_by_role("option", name="Reduce stock")).to_be_visible()
    page.keyboard.press("Enter")
    expect(needs.get_by_role("button", name="Reduce stock", exact=True)).to_be_visible()
    expect(needs.get_by_role("combobox")).to_be_focused()
    needs.get_by_role("button", name="Remove Reduce stock").click()
    needs.get_by_role("button", name="Undo").click()
    expect(needs.get_by_role("button", name="Reduce stock", exact=True)).to_be_visible()
    assert Need.objects.get(need__name="Reduce stock").evidence == "stated"
    needs.get_by_role("button", name="Reject Faster quotes").click()
    expect(needs.get_by_text("will not be inferred again")).to_be_visible()
    assert Need.objects.get(need__name="Faster quotes").rejected_on is not None
    needs.get_by_role("button", name="Reduce stock", exact=True).click()
    dialog = page.get_by_role("dialog", name="Reduce stock")
    dialog.get_by_label("Kind").select_option("goal")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert Need.objects.get(need__name="Reduce stock").kind == "goal"


def test_the_timeline_is_narrowed_and_the_address_follows(account, page):
    timeline = page.locator("#timeline")
    expect(timeline.get_by_text("Fair follow-up")).to_be_visible()
    timeline.get_by_role("link", name="Notes").click()
    expect(timeline.get_by_text("Fair follow-up")).to_be_hidden()
    expect(timeline.get_by_text("They move in May")).to_be_visible()
    assert page.url.endswith("?kind=note")
    page.reload()
    expect(timeline.get_by_text("Fair follow-up")).to_be_hidden()
    timeline.get_by_role("link", name="Show everything").click()
    expect(timeline.get_by_text("Fair follow-up")).to_be_visible()


def test_a_file_is_added_and_downloaded(account, page, tmp_path):
    plan = tmp_path / "plan.txt"
    plan.write_text("Phase one")
    page.get_by_label("Choose a file").set_input_files(plan)
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_text("plan.txt is kept on Kessler Werke.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="plan.txt").click()
    assert download.value.path().read_text() == "Phase one"
    page.get_by_role("button", name="Take away plan.txt").click()
    page.get_by_text("Taken away", exact=True).click()
    page.get_by_role("button", name="Bring back plan.txt").click()
    expect(page.get_by_text("plan.txt is back.")).to_be_visible()
    assert Attachment.objects.get().deleted_at is None


def test_a_role_is_given_by_one_choice(account, page):
    page.goto(f"/accounts/{account.pk}/?tab=committee")
    expect(page.get_by_text("0 of 4")).to_be_visible()
    page.get_by_label("Give Anna Brandt a role").select_option("champion")
    expect(page.get_by_text("Anna Brandt is champion now.")).to_be_visible()
    expect(page.get_by_text("1 of 4")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_record_pages_keep_nobody_out(account, page, scheme):
    page.emulate_media(color_scheme=scheme)
    contact = account.contacts.get()
    wrong = {}
    for path in (
        f"/accounts/{account.pk}/",
        f"/accounts/{account.pk}/?tab=committee",
        f"/accounts/{account.pk}/?tab=notes",
        f"/accounts/{account.pk}/?tab=needs",
        f"/accounts/{account.pk}/?tab=contacts",
        f"/accounts/{account.pk}/survey/",
        f"/contacts/{contact.pk}/",
    ):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if found:
            wrong[path] = [(rule["id"], [node["html"][:160] for node in rule["nodes"]][:3]) for rule in found]
    assert not wrong
