"""An admin's day in the settings, in Chromium: merge two words, add a field and use it in a rule, order stages."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from accounts.models import Account, AccountValue, CustomField, Stage, Term
from accounts.services.custom_fields import set_custom_values
from accounts.services.multi_values import set_multi_values
from accounts.services.vocabularies import add_term
from tests.factories import AccountFactory, ExchangeRateFactory, PipelineFactory, StageFactory, UserFactory

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser]
PAGES = (
    "/settings/",
    "/settings/organisation/",
    "/settings/users/",
    "/settings/users/new/",
    "/settings/teams/",
    "/settings/roles/",
    "/settings/tokens/",
    "/settings/audit/",
    "/settings/rates/",
    "/settings/rates/paste/",
    "/settings/free-mail/",
    "/settings/territories/new/",
    "/settings/pipelines/",
    "/settings/role-templates/new/",
    "/settings/vocabularies/",
    "/settings/vocabularies/technology_category/",
    "/settings/vocabularies/topic/new/",
    "/settings/fields/",
    "/settings/fields/new/",
    "/settings/catalogues/product/",
    "/settings/catalogues/technology_product/new/",
)


@pytest.fixture
def admin(live, page):
    """A page, logged in as an admin."""
    live.log_in(page, UserFactory(username="admin", first_name="Ada", last_name="Admin"))
    return page


def serious(page):
    """Return what axe finds that keeps people out."""
    found = Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"][:160]) for v in found if v["impact"] in ("serious", "critical")]


@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_settings_keep_nobody_out_and_fit_a_phone(live, admin, scheme, width):
    ExchangeRateFactory()
    admin.emulate_media(color_scheme=scheme)
    admin.set_viewport_size({"width": width, "height": 900})
    wrong = []
    for path in PAGES:
        admin.goto(live.url + path)
        wrong += [(path, *found) for found in serious(admin)]
        wide = admin.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if wide > 0:
            wrong.append((path, "wider than the screen", str(wide)))
    assert wrong == []


def test_two_words_are_merged_after_a_look_at_what_that_touches(live, admin):
    gone, into = add_term("tag", "Vip"), add_term("tag", "VIP customer")
    account = AccountFactory(name="Kessler Werke")
    set_multi_values(account, "tags", [gone])
    admin.goto(f"{live.url}/settings/")
    admin.get_by_role("link", name="Vocabularies").first.click()
    admin.get_by_role("link", name="Tag", exact=True).click()
    admin.get_by_role("link", name="Vip", exact=True).click()
    admin.get_by_role("link", name="Merge into another").click()
    admin.locator(".ts-control").click()
    admin.keyboard.type("VIP c")
    admin.get_by_role("option", name="VIP customer").click()
    admin.get_by_role("button", name="Show what this touches").click()
    expect(admin.get_by_text("“Vip” becomes “VIP customer”")).to_be_visible()
    expect(admin.locator(".uses li")).to_have_count(1)
    admin.get_by_role("button", name="Merge").click()
    expect(admin.get_by_text("1 references moved")).to_be_visible()
    assert AccountValue.objects.get(account=account).term == into
    assert not Term.objects.filter(pk=gone.pk).exists()


def test_a_new_field_is_in_the_builder_at_once(live, admin):
    admin.goto(f"{live.url}/settings/fields/")
    admin.get_by_role("link", name="New field").first.click()
    admin.get_by_label("Label").fill("Diving depth")
    admin.get_by_label("Type").select_option("integer")
    admin.get_by_role("button", name="Save").click()
    expect(admin.get_by_text("“Diving depth” is saved")).to_be_visible()
    assert CustomField.objects.get().key == "diving_depth"
    admin.goto(f"{live.url}/segments/new/")
    expect(admin.locator("[data-builder][data-ready=true]")).to_be_visible()
    AccountFactory(name="Deep", owner=None)
    admin.locator(".sb-group.root > .sb-rules > .sb-adds").get_by_role("button", name="Condition").click()
    admin.keyboard.type("Diving depth")
    admin.get_by_role("option").filter(has_text="Diving depth").first.click()
    admin.get_by_label("Diving depth: value", exact=True).fill("10")
    result = admin.locator("[data-result][data-state=done] [data-panel=big]")
    expect(result).to_have_text("0")
    set_custom_values(Account.objects.get(name="Deep"), {"diving_depth": 12})
    admin.get_by_label("Diving depth: value", exact=True).fill("11")
    expect(result).to_have_text("1")


def test_stages_are_ordered_by_keyboard_and_by_drag(live, admin):
    pipeline = PipelineFactory(name="Partners")
    for position, name in enumerate(("First", "Second", "Third"), start=1):
        StageFactory(pipeline=pipeline, name=name, position=position * 10)
    admin.goto(f"{live.url}/settings/pipelines/{pipeline.pk}/")
    admin.get_by_role("button", name="Move Third up").focus()
    admin.keyboard.press("Enter")
    expect(admin.get_by_text("The new order is saved.")).to_be_visible()
    assert [stage.name for stage in Stage.objects.filter(pipeline=pipeline).order_by("position")][1] == "Third"
    grips = admin.locator(".order-list .grip")
    start, end = grips.nth(2).bounding_box(), grips.nth(0).bounding_box()
    admin.mouse.move(start["x"] + 5, start["y"] + 5)
    admin.mouse.down()
    admin.mouse.move(end["x"] + 5, end["y"] + 20, steps=8)
    admin.mouse.move(end["x"] + 5, end["y"] - 8, steps=8)
    with admin.expect_navigation():
        admin.mouse.up()
    assert Stage.objects.filter(pipeline=pipeline).order_by("position").first().name == "Second"
