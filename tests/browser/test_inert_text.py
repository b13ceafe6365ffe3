"""One polyglot in every text that people can write: no page runs it (R76, T16)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from playwright.sync_api import expect

from accounts.imports.options import ImportOptions
from accounts.imports.uploads import store_upload
from segmentation_crm.common.models import Job, Organisation
from segments.models import SegmentOverride
from tests import factories as make
from tests.segments.making import all_of, built

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.browser, pytest.mark.e2e]

# Out of an attribute, out of a tag, out of a script or JSON block, out of a template of Django, Alpine or Vue.
BAD = "\"'></title></script></textarea><script>alert(1)</script><img src=x onerror=alert(2)><svg/onload=alert(3)>"
BAD += "{{7*7}}${7*7}"
SCHEME = "javascript:alert(document.domain)//"
WATCH = """
window.violations = [];
const note = e => window.violations.push(e.violatedDirective + ' ' + e.blockedURI);
document.addEventListener('securitypolicyviolation', note);
"""


@pytest.fixture
def world(transactional_db):
    """A record of each main kind with the polyglot in its texts, a segment over it, a finished and a waiting job."""
    admin = make.UserFactory(username="admin", first_name=BAD[:150])
    Organisation.objects.update(name=BAD[:100])
    tag = make.TermFactory(name=BAD[:100], slug="bad-tag")
    account = make.AccountFactory(name=BAD, owner=admin, website=SCHEME, city=BAD[:80], employee_count=100)
    make.AccountValueFactory(account=account, field="tags", token="", term=tag)
    contact = make.ContactFactory(
        account=account,
        first_name=BAD[:90],
        last_name=BAD[:90],
        job_title=BAD,
        linkedin_url=SCHEME,
        email="a@b.example",
    )
    deal = make.OpportunityFactory(account=account, name=BAD, next_step=BAD[:200])
    make.NoteFactory(account=account, text=BAD)
    make.TaskFactory(account=account, title=BAD, owner=admin)
    custom = make.CustomFieldFactory(label=BAD[:100], key="bad", help=BAD[:100])
    make.AccountCustomValueFactory(account=account, definition=custom, text=BAD)
    make.ExternalIdFactory(record_type="account", record_id=account.pk, source=BAD[:50], external_id=BAD[:90])
    make.ProvenanceFactory(record_type="account", record_id=account.pk, field="name", source_system=BAD[:50])
    make.ActivityFactory(account=account, contact=contact, subject=BAD, text=BAD, url_path=SCHEME)
    rules = all_of(
        {"field": "account.tags", "operator": "any_of", "value": ["bad-tag"]},
        {"field": "account.name", "operator": "eq", "value": BAD},
        {"field": "account.custom.bad", "operator": "is_set"},
    )
    segment = built(rules, BAD, user=admin, description=BAD)
    SegmentOverride.objects.create(segment=segment, account=account, mode="include", reason=BAD, by=admin)
    job = Job.objects.create(
        kind="import.run",
        title=BAD[:200],
        created_by=admin,
        due_at=timezone.now(),
        finished_at=timezone.now(),
        state="failed",
        error=BAD,
        result={BAD: BAD},
    )
    return {"admin": admin, "account": account, "contact": contact, "deal": deal, "segment": segment, "job": job}


def upload(world) -> str:
    """Return the public id of an uploaded file full of the polyglot, in heading, cell and name."""
    text = (
        f'name,"{BAD.replace(chr(34), chr(34) * 2)}",founded_year\n"{BAD.replace(chr(34), chr(34) * 2)}",x,{SCHEME}\n'
    )
    file = SimpleUploadedFile("<img src=x onerror=alert(4)>.csv", text.encode())
    return str(store_upload(file, ImportOptions(type="accounts", source="import"), world["admin"]).public_id)


def test_r76_no_page_runs_what_people_write(live, page, world):
    found: list[str] = []
    page.on("dialog", lambda dialog: (found.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("pageerror", lambda error: found.append(f"{page.url}: {error}"))
    page.add_init_script(WATCH)
    live.log_in(page, world["admin"])
    record = upload(world)
    segment = world["segment"].get_absolute_url()
    account, contact, deal = world["account"].pk, world["contact"].pk, world["deal"].pk
    paths = ["/", "/accounts/", "/contacts/", "/opportunities/", "/activities/", "/segments/", "/jobs/", "/imports/"]
    paths += [
        f"/accounts/{account}/",
        f"/accounts/{account}/edit/",
        f"/contacts/{contact}/",
        f"/contacts/{contact}/edit/",
    ]
    paths += [f"/accounts/{account}/?tab=contacts", f"/accounts/{account}/?tab=activities"]
    paths += [f"/opportunities/{deal}/", f"/opportunities/{deal}/edit/", segment, f"{segment}edit/", "/users/"]
    paths += [f"/jobs/{world['job'].public_id}/", f"/imports/{record}/map/", f"/imports/{record}/preview/", "/profile/"]
    paths += [
        "/search/?q=alert",
        "/search/?q=%3Cscript%3Ealert(5)%3C/script%3E",
        "/accounts/?search=%22%3E%3Cimg+src=x%3E",
    ]
    paths += [f"/admin/accounts/account/{account}/change/", "/admin/accounts/account/", "/admin/segments/segment/"]
    paths += ["/admin/accounts/term/", "/admin/common/auditentry/", "/admin/common/job/", "/admin/", "/api/docs/"]
    for path in paths:
        response = page.goto(live.url + path)
        assert response.status == 200, path
        page.wait_for_load_state("networkidle" if "edit" in path else "load")
        found += [f"{path}: {text}" for text in page.evaluate("window.violations")]
        links = page.evaluate("[...document.querySelectorAll('[href],[src],[action]')].map(e => e.outerHTML)")
        found += [f"{path}: {html[:120]}" for html in links if '="javascript:' in html.lower()]
        # The one image of the polyglot would stand here had it become markup.
        assert page.locator("img[src='x']").count() == 0, path
    assert found == []


def test_r76_the_builder_shows_hostile_words_as_words(live, page, world):
    found: list[str] = []
    page.on("dialog", lambda dialog: (found.append(dialog.message), dialog.dismiss()))
    page.add_init_script(WATCH)
    live.log_in(page, world["admin"])
    page.goto(f"{live.url}{world['segment'].get_absolute_url()}edit/")
    expect(page.locator("[data-builder][data-ready=true]")).to_be_visible()
    expect(page.locator("[data-result][data-state=done] [data-panel=big]")).to_have_text("1")
    page.locator(".sb-group.root > .sb-rules > .sb-adds").get_by_role("button").first.click()
    page.keyboard.type("alert")
    expect(page.locator("[role=option]").filter(has_text="alert(1)").first).to_be_visible()
    assert page.locator("img[src='x']").count() == 0
    assert found + page.evaluate("window.violations") == []


def test_r63_r76_the_file_of_rejected_rows_is_a_download(live, page, world):
    from accounts.imports.uploads import start_upload
    from accounts.models import Import

    record = Import.objects.get(public_id=upload(world))
    live.wait_for_job(start_upload(record, world["admin"]))
    live.log_in(page, world["admin"])
    page.goto(f"{live.url}/imports/{record.public_id}/")
    assert page.locator("img[src='x']").count() == 0
    answer = page.request.get(f"{live.url}/imports/{record.public_id}/rejected.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in answer.headers["cache-control"]
