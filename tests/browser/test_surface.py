"""Every page in a real browser: axe finds nothing in both themes, no console error, nothing wider than a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from playwright.sync_api import Error

from tests.factories import UserFactory
from tests.page_matrix import PAGES
from tests.test_page_permissions import address, owner, world  # noqa: F401 (fixtures)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.timeout(900)]

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
# What another theme can change of what axe looks at.
OF_A_THEME = ["color-contrast", "link-in-text-block"]
ASK = """async (rules) => {
  const options = { resultTypes: ["violations"] };
  if (rules.length) options.runOnly = rules;
  const found = await axe.run(document, options);
  return found.violations.map((one) => `${one.id}: ${one.nodes[0].html.slice(0, 160)}`);
}"""

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def found_by_axe(page, *rules):
    """Return what axe finds, whatever its impact, by all rules or those named; axe must be on the page."""
    return page.evaluate(ASK, list(rules))


def addresses(world):  # noqa: F811
    """Return the addresses of all pages that an admin gets by GET."""
    return [address(name, world) for name, page in PAGES.items() if page.granted == 200 and "admin" in page.roles]


@pytest.fixture
def visitor(live, page, world):  # noqa: F811
    """A page of an admin without movement, with what its console said."""
    page.said = []
    page.on("console", lambda said: page.said.append(f"{said.text} {said.location}") if said.type == "error" else None)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    live.log_in(page, UserFactory(username="admin"))
    return page


def faults_of(page, path):
    """Return what is wrong with the page that stands open, in both themes and on a phone."""
    page.evaluate(Axe().axe_script)
    wrong = [f"{path} light {finding}" for finding in found_by_axe(page)]
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.locator("html[data-bs-theme=dark]").wait_for(state="attached")
    page.evaluate(PAINTED)
    wrong += [f"{path} dark {finding}" for finding in found_by_axe(page, *OF_A_THEME)]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(PHONE)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > PHONE["width"]:
        wrong.append(f"{path} is {width} px wide on a phone")
    page.set_viewport_size(DESK)
    wrong += [f"{path} console {text}" for text in page.said]
    page.said.clear()
    return wrong


@pytest.mark.skipif(connection.vendor == "postgresql", reason="looks do not depend on the database: walked on SQLite")
def test_every_page_is_open_to_all_and_quiet(live, visitor, world):  # noqa: F811
    wrong = []
    seen = 0
    for path in addresses(world):
        try:
            answer = visitor.goto(live.url + path)
        except Error as problem:
            if "Download is starting" not in problem.message:
                raise
            continue  # a file, no page
        if answer is None or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        if visitor.locator("#main").count() == 0:
            continue  # a part of a page, or the library's own
        seen += 1
        wrong += faults_of(visitor, path)
    assert seen > 40
    assert not wrong, "\n".join(wrong)
