"""The board and the deal's page in a real browser: mouse, keyboard, a lost deal, two people on one card."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.choices import Vocabulary
from accounts.models import Opportunity, OpportunityLine, Pipeline
from accounts.services.opportunities import move_stage
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, ProductFactory, TermFactory, UserFactory
from tests.support.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]


@pytest.fixture
def stages():
    return {s.slug.removeprefix("sales-"): s for s in Pipeline.objects.get(is_default=True).stages.all()}


@pytest.fixture
def deal(stages):
    account = AccountFactory(name="Kessler Werke")
    ContactFactory(account=account, first_name="Anna", last_name="Brandt")
    return OpportunityFactory(name="Rollout", account=account, stage=stages["qualification"], amount=12000)


@pytest.fixture
def reason():
    return TermFactory(vocabulary=Vocabulary.LOST_REASON, name="They built it themselves")


@pytest.fixture
def on_board(live, page, deal, reason):
    live.log_in(page, UserFactory(username="admin"))
    page.goto(f"{live.url}/opportunities/board/")
    return page


def column(page, stage):
    return page.locator(f'[data-column="{stage.slug}"]')


def stage_of(deal):
    return Opportunity.objects.select_related("stage").get(pk=deal.pk).stage


def test_a_card_is_dragged_with_the_mouse(on_board, deal, stages):
    card = on_board.locator(f'[data-deal="{deal.pk}"]')
    target = column(on_board, stages["negotiation"])
    start, end = card.bounding_box(), target.bounding_box()
    # By the foot of the card: a link would be followed, not dragged.
    on_board.mouse.move(start["x"] + 40, start["y"] + start["height"] - 14)
    on_board.mouse.down()
    on_board.mouse.move(start["x"] + 80, start["y"] + 40, steps=5)
    on_board.mouse.move(end["x"] + 100, end["y"] + 110, steps=12)
    on_board.mouse.up()
    target.locator(f'[data-deal="{deal.pk}"]').wait_for()
    wait_until(lambda: stage_of(deal) == stages["negotiation"], 10, "the move")
    wait_until(lambda: target.locator("[data-count]").inner_text() == "1", 10, "the new count")
    assert target.locator("[data-sum]").inner_text() == "$12K"
    assert column(on_board, stages["qualification"]).locator("[data-count]").inner_text() == "0"


def test_a_card_moves_by_keyboard_and_says_so(on_board, deal, stages):
    on_board.locator(f'[data-deal="{deal.pk}"] summary').focus()
    on_board.keyboard.press("Enter")
    on_board.keyboard.press("Tab")
    assert on_board.evaluate("document.activeElement.textContent") == "Proposal"
    on_board.keyboard.press("Enter")
    on_board.locator("[data-board-news]", has_text="Rollout moved to Proposal.").wait_for(state="attached")
    assert stage_of(deal) == stages["proposal"]
    column(on_board, stages["proposal"]).locator(f'[data-deal="{deal.pk}"]').wait_for()
    assert on_board.evaluate("document.activeElement.getAttribute('aria-label')") == "Move Rollout to…"


def test_a_lost_deal_asks_why_and_cancel_takes_the_card_back(on_board, deal, stages, reason):
    card = on_board.locator(f'[data-deal="{deal.pk}"]')

    def lose():
        card.locator("summary").click()
        card.get_by_role("button", name="Lost", exact=True).click()
        on_board.get_by_role("dialog", name="Lost: Rollout").wait_for()

    lose()
    on_board.get_by_role("button", name="Cancel").click()
    column(on_board, stages["qualification"]).locator(f'[data-deal="{deal.pk}"]').wait_for()
    assert stage_of(deal) == stages["qualification"]
    lose()
    dialog = on_board.get_by_role("dialog", name="Lost: Rollout")
    dialog.get_by_role("button", name="Move").click()
    dialog.get_by_text("Say why the deal was lost").wait_for()
    assert [v["id"] for v in Axe().run(on_board).response["violations"]] == []
    on_board.locator("#move_lost_reason-ts-control").fill("built it")
    on_board.locator(".ts-dropdown .option", has_text=reason.name).click()
    dialog.get_by_label("Note").fill("Try again in two years.")
    dialog.get_by_role("button", name="Move").click()
    dialog.wait_for(state="hidden")
    wait_until(lambda: stage_of(deal) == stages["lost"], 10, "the loss")
    lost = Opportunity.objects.get(pk=deal.pk)
    assert lost.lost_reason == reason
    assert [note.text for note in lost.notes.all()] == ["Try again in two years."]


def test_who_comes_second_is_told_and_sees_where_the_card_is(on_board, deal, stages):
    move_stage(Opportunity.objects.get(pk=deal.pk), stages["negotiation"])
    on_board.locator(f'[data-deal="{deal.pk}"] summary').click()
    on_board.locator(f'[data-deal="{deal.pk}"]').get_by_role("button", name="Proposal").click()
    on_board.get_by_role("alert").get_by_text("Somebody else changed “Rollout”").wait_for()
    column(on_board, stages["negotiation"]).locator(f'[data-deal="{deal.pk}"]').wait_for()
    assert stage_of(deal) == stages["negotiation"]


def test_a_move_that_fails_is_taken_back(on_board, deal, stages):
    on_board.route("**/move/", lambda route: route.abort())
    on_board.locator(f'[data-deal="{deal.pk}"] summary').click()
    on_board.locator(f'[data-deal="{deal.pk}"]').get_by_role("button", name="Proposal").click()
    on_board.get_by_role("alert").get_by_text("could not be reached").wait_for()
    column(on_board, stages["qualification"]).locator(f'[data-deal="{deal.pk}"]').wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pipeline_pages_keep_nobody_out_and_fit_a_phone(live, on_board, deal, scheme):
    problems = []
    on_board.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    on_board.emulate_media(color_scheme=scheme)
    contact = deal.account.contacts.get()
    paths = (
        "/opportunities/board/",
        "/opportunities/forecast/",
        f"/opportunities/{deal.pk}/",
        f"/contacts/{contact.pk}/job/",
    )
    for path in paths:
        on_board.set_viewport_size({"width": 1280, "height": 800})
        on_board.goto(live.url + path)
        found = Axe().run(on_board).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"][:200]) for v in found] == [], path
        on_board.set_viewport_size({"width": 390, "height": 844})
        assert on_board.evaluate("document.documentElement.scrollWidth") <= 390, path
    assert problems == []


def test_a_deal_is_lost_on_its_page_which_fetches_the_dialog(live, on_board, deal, stages, reason):
    on_board.goto(f"{live.url}/opportunities/{deal.pk}/")
    assert on_board.locator("#move-dialog").count() == 0
    on_board.get_by_role("button", name="Move to Lost").click()
    dialog = on_board.get_by_role("dialog", name="Lost: Rollout")
    dialog.wait_for()
    on_board.locator("#move_lost_reason-ts-control").fill("built it")
    on_board.locator(".ts-dropdown .option", has_text=reason.name).click()
    dialog.get_by_role("button", name="Move", exact=True).click()
    wait_until(lambda: stage_of(deal) == stages["lost"], 10, "the loss")
    assert Opportunity.objects.get(pk=deal.pk).lost_reason == reason


def test_a_deal_is_edited_in_place(live, on_board, deal, stages):
    product = ProductFactory(name="Licence")
    on_board.goto(f"{live.url}/opportunities/{deal.pk}/")
    lines = on_board.locator("#deal-lines")
    lines.get_by_label("Product", exact=True).last.select_option(str(product.pk))
    lines.get_by_label("Quantity").last.fill("3")
    lines.get_by_label("Unit price").last.fill("500")
    lines.get_by_role("button", name="Add").click()
    lines.get_by_text("$1,500").first.wait_for()
    lines.get_by_label("Discount in per cent").first.fill("150")
    lines.get_by_role("button", name="Save").click()
    lines.locator(".error").wait_for()
    assert lines.get_by_label("Discount in per cent").first.input_value() == "150"
    lines.get_by_role("button", name="Set amount from lines").click()
    on_board.locator(".kpi", has_text="$1,500").wait_for()
    on_board.locator("#deal-lines").get_by_role("button", name=re.compile("^Remove")).click()
    on_board.get_by_text("Removed: 3").wait_for()
    assert not OpportunityLine.objects.exists()
    on_board.get_by_role("button", name="Undo").click()
    wait_until(lambda: OpportunityLine.objects.filter(quantity=3).exists(), 10, "the line")
    people = on_board.locator("#deal-people")
    people.get_by_label("Person to add").select_option(label="Anna Brandt")
    people.get_by_label("Role of the new person").select_option("champion")
    people.get_by_role("button", name="Add").click()
    people.get_by_role("link", name="Anna Brandt").wait_for()
    on_board.get_by_label("What", exact=True).fill("Send the offer")
    on_board.locator("#deal-next").get_by_role("button", name="Save").click()
    on_board.locator("#deal-next").get_by_role("button", name="Done").click()
    on_board.get_by_text("What comes next?").wait_for()
    wait_until(lambda: not Opportunity.objects.get(pk=deal.pk).next_step, 10, "the next step")
    version = Opportunity.objects.get(pk=deal.pk).version
    on_board.locator(f'[data-stepper][data-version="{version}"]').wait_for()
    on_board.get_by_role("button", name="Move to Proposal").click()
    wait_until(lambda: stage_of(deal) == stages["proposal"], 10, "the move")
