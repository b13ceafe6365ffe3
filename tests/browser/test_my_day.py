"""A rep logs a call from the keyboard: an objection in one click, saved in the second; its follow-up is in My day."""

import datetime as dt

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from accounts.models import Activity, Evidence, Task
from segmentation_crm.common.models import Role
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world(live, page):
    """A rep who is signed in, with an account and an objection that is often heard."""
    rep = make.UserFactory(username="mira", role=Role.SALES_REP)
    account = make.AccountFactory(name="Kessler Motors", owner=rep)
    price = make.TermFactory(vocabulary="objection", name="Too expensive")
    live.log_in(page, rep)
    return rep, account, price


def test_a_call_is_logged_from_the_keyboard_and_the_follow_up_stands_in_my_day(page, world):
    rep, account, price = world
    page.goto(f"/accounts/{account.pk}/")
    page.keyboard.press("l")
    dialog = page.locator("#quick-log")
    expect(dialog.locator(".log-about > .strong")).to_have_text("Kessler Motors")
    dialog.get_by_role("checkbox", name="Too expensive").click()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#log-toast")).to_contain_text("Call logged", timeout=20_000)
    expect(dialog).not_to_be_visible()
    call = Activity.objects.get()
    assert (call.type, call.account, call.user) == ("call", account, rep)
    assert Evidence.objects.get().term == price

    page.locator(".log-button").click()
    dialog.get_by_label("What was said").fill("She wants the offer")
    dialog.get_by_label("Follow up").select_option("1")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).not_to_be_visible(timeout=20_000)
    task = Task.objects.get()
    Task.objects.filter(pk=task.pk).update(due_at=timezone.now() - dt.timedelta(hours=1))
    page.goto("/")
    line = page.locator(f"#task-{task.pk}")
    expect(line).to_contain_text("Follow up with Kessler Motors")
    line.get_by_role("button", name="Done: Follow up").click()
    expect(page.locator(f"#task-{task.pk}")).to_contain_text("Done: Follow up")
    assert Task.objects.get().done_at is not None
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(f"#task-{task.pk}")).to_contain_text("Follow up with Kessler Motors")
    assert Task.objects.get().done_at is None


def test_undo_takes_the_call_back(page, world):
    _, account, _ = world
    page.goto(f"/accounts/{account.pk}/")
    page.keyboard.press("l")
    page.locator("#quick-log").get_by_role("button", name="Save").click()
    page.locator("#log-toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#log-toast")).to_contain_text("Taken back", timeout=20_000)
    assert not Activity.objects.exists()


def test_another_tab_and_an_error_lose_nothing_and_a_record_is_found_by_typing(page, world):
    page.goto("/my-day/")
    page.keyboard.press("l")
    dialog = page.locator("#quick-log")
    dialog.get_by_label("What was said").fill("Typed before anything was chosen")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.locator("[data-log-problem]")).to_contain_text("What you typed is still here")
    expect(dialog.get_by_label("What was said")).to_have_value("Typed before anything was chosen")
    dialog.get_by_role("radio", name="Note").click()
    expect(dialog.get_by_label("What was said")).to_have_value("Typed before anything was chosen")
    dialog.get_by_label("About which account").fill("kess")
    dialog.get_by_role("button", name="Kessler Motors").click()
    expect(dialog.locator(".log-about > .strong")).to_have_text("Kessler Motors")
    expect(dialog.get_by_label("What was said")).to_have_value("Typed before anything was chosen")
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#log-toast")).to_contain_text("Note logged", timeout=20_000)


def test_typing_l_in_a_field_opens_nothing(page, world):
    page.goto("/my-day/")
    page.locator("[data-find]").first.focus()
    page.keyboard.type("lll")
    expect(page.locator("#quick-log")).not_to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(page, world, theme):
    from axe_playwright_python.sync_playwright import Axe

    rep, account, price = world
    make.TaskFactory(owner=rep, account=account, due_at=timezone.now())
    make.NotificationFactory(user=rep)
    make.EvidenceFactory(account=account, term=price)
    page.add_init_script(f"localStorage.setItem('crm-theme', '{theme}')")
    for address in ("/my-day/", "/evidence/", "/notifications/", "/tasks/new/", "/profile/", "log"):
        if address == "log":
            page.goto(f"/accounts/{account.pk}/")
            page.keyboard.press("l")
            expect(page.locator("#quick-log .log-about")).to_be_visible()
        else:
            page.goto(address)
        page.wait_for_load_state("networkidle")
        found = Axe().run(page, context={"include": [["#quick-log"]]} if address == "log" else None)
        assert not found.response["violations"], f"{address}: {found.generate_report()}"
