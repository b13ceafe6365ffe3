"""A rep's pages, fragments and API never name what others own, in whichever relation it stands (R65).

Alice is a rep, bob the manager of her team. Charlie, elsewhere, owns an account with a person, a deal, notes, files
and everything else; alice's records point at them in every way there is.
"""

import datetime as dt
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from accounts.models import FieldHistory, Opportunity
from accounts.services.files import store_file
from segmentation_crm.common import lists
from segmentation_crm.common.lists.columns import remember
from segmentation_crm.common.models import RecentItem
from tests import factories as make
from tests.permission_matrix import MATRIX
from tests.segments.making import three_people
from tests.support.api import caller

pytestmark = pytest.mark.django_db
SECRET = "Verborgen"


@pytest.fixture
def w():
    """The people and the records."""
    alice, bob, charlie = three_people()
    theirs = make.AccountFactory(
        name=f"{SECRET} Holding", domain="verborgen.example", owner=charlie, city=f"{SECRET}stadt"
    )
    person = make.ContactFactory(
        account=theirs, owner=charlie, first_name=SECRET, last_name="Person", email="v@verborgen.example"
    )
    other = make.ContactFactory(
        account=None, owner=charlie, first_name=SECRET, last_name="Lead", email="lead@lead.example"
    )
    stage = make.StageFactory(is_open=True)
    deal = make.OpportunityFactory(
        account=theirs, owner=charlie, name=f"{SECRET} deal", stage=stage, expected_close=timezone.localdate()
    )
    mine = make.AccountFactory(name="Mine", owner=alice, parent_account=theirs)
    own_person = make.ContactFactory(account=theirs, owner=alice, first_name="Anna", last_name="Own")
    own_deal = make.OpportunityFactory(
        account=theirs, owner=alice, name="Own deal there", stage=stage, expected_close=timezone.localdate()
    )
    deal_here = make.OpportunityFactory(
        account=mine, owner=alice, name="Own deal here", stage=stage, expected_close=timezone.localdate()
    )
    found = SimpleNamespace(
        alice=alice, bob=bob, charlie=charlie, theirs=theirs, person=person, other=other, deal=deal, mine=mine,
        own_person=own_person, own_deal=own_deal, deal_here=deal_here, stage=stage, tasks=[], activities=[],
    )  # fmt: skip
    work_between(found)
    changes_between(found)
    return found


def work_between(w):
    """Activities, tasks, notes, files, roles and the rest, each naming a record of charlie's."""
    now = timezone.now()
    for opportunity in (w.own_deal, w.deal_here, w.deal):
        make.OpportunityContactFactory(opportunity=opportunity, contact=w.person)
        make.OpportunityContactFactory(opportunity=opportunity, contact=w.own_person, role="")
    Opportunity.objects.filter(pk__in=[w.deal_here.pk, w.own_deal.pk]).update(
        champion_left=w.person,
        champion_left_on=timezone.localdate(),
        next_step_due=timezone.localdate(),
        next_step="Call",
    )
    for moment in (now + dt.timedelta(minutes=2), now - dt.timedelta(minutes=5)):
        for kind in ("call", "page_view"):
            make.ActivityFactory(type=kind, occurred_at=moment, contact=w.person, account=w.mine, user=w.alice)
            make.ActivityFactory(type=kind, occurred_at=moment, contact=w.person, account=w.theirs, user=w.alice)
            make.ActivityFactory(type=kind, occurred_at=moment, contact=w.own_person, account=w.theirs, user=w.charlie)
            make.ActivityFactory(
                type=kind, occurred_at=moment, contact=w.person, account=w.theirs, opportunity=w.own_deal
            )
    for record in ({"account": w.theirs}, {"contact": w.person}, {"opportunity": w.deal}):
        empty = {"account": None, **record}
        w.tasks.append(make.TaskFactory(owner=w.alice, due_at=now - dt.timedelta(hours=1), **empty))
        w.tasks.append(make.TaskFactory(owner=w.alice, done_at=now, due_at=now, **empty))
        make.NoteFactory(text=f"{SECRET} words", author=w.charlie, **empty)
        make.NoteFactory(text=f"{SECRET} words of alice", author=w.alice, **empty)
        store_file(next(iter(record.values())), SimpleUploadedFile(f"{SECRET}.pdf", b"x"), w.alice)
    term = make.TermFactory(vocabulary="objection", name="Too dear")
    make.EvidenceFactory(term=term, account=w.mine, contact=w.person)
    make.EvidenceFactory(term=term, account=w.theirs, contact=w.own_person, quote=f"{SECRET} quote")
    w.term = term
    make.NeedFactory(account=w.mine)
    make.PurchaseFactory(account=w.mine, contact=w.person)
    make.PurchaseFactory(account=w.theirs, contact=w.own_person, order_number=SECRET)
    make.SupportCaseFactory(account=w.mine, contact=w.person)
    make.ContactAccountFactory(contact=w.person, account=w.mine, relation="consultant")
    w.lead = make.ContactFactory(account=None, owner=w.alice, email="x@lead.example", lead_status="working")
    type(w.lead).objects.filter(pk=w.lead.pk).update(
        proposed_account=w.theirs, created_at=now - dt.timedelta(days=40), recycle_until=timezone.localdate()
    )
    type(w.lead).objects.filter(pk=w.own_person.pk).update(
        lead_status="working", created_at=now - dt.timedelta(days=40)
    )
    for kind, row in (("account", w.theirs), ("contact", w.person), ("opportunity", w.deal)):
        RecentItem.objects.create(user=w.alice, kind=kind, object_id=row.pk, at=now)


def changes_between(w):
    """Rows of the log whose old or new values refer to charlie's records."""
    w.mine.parent_account = None
    w.mine.save()
    w.mine.parent_account = w.theirs
    w.mine.save()
    w.deal_here.account = w.theirs
    w.deal_here.save()
    w.deal_here.account = w.mine
    w.deal_here.save()
    w.own_person.account = w.mine
    w.own_person.save()
    w.own_person.account = w.theirs
    w.own_person.save()
    assert FieldHistory.objects.exists()


def record_paths(kind, record, tabs):
    """Return the addresses of a record's page, its parts and the forms of its facts."""
    base = reverse(f"accounts:{kind}_detail", args=[record.pk])
    names = [
        name for name in ("name", "parent_account", "account", "owner", "first_name", "city") if hasattr(record, name)
    ]
    paths = [
        base,
        f"{base}?whole=1",
        f"{base}around/",
        *([f"{base}parts/lines/", f"{base}parts/people/"] if kind == "opportunity" else []),
        *(f"{base}?tab={tab}" for tab in tabs),
        f"{base}changes/",
        f"{base}changes/?person=system",
        f"{base}edit/",
    ]
    paths += [f"{base}facts/{name}/" for name in names] + [f"{base}facts/{name}/?show=1" for name in names]
    paths += [f"/log/?record={kind}:{record.pk}&kind={log}" for log in ("call", "note", "task", "next_step")]
    paths += [f"/tasks/new/?record={kind}:{record.pk}", f"{base}delete/", f"/{base.split('/')[1]}/merge/?a={record.pk}"]
    if kind != "opportunity":
        day = timezone.localdate().isoformat()
        paths += [f"{base}timeline/", f"{base}timeline/{day}/", f"{base}survey/"]
    return paths


TABS = (
    "people", "committee", "opportunities", "activities", "tasks", "notes", "files", "purchases", "contracts", "cases",
    "technologies", "needs", "surveys", "accounts", "history", "timeline", "evidence", "consents",
)  # fmt: skip


def paths_of_records(w):
    """Return the addresses of alice's records with everything on their pages."""
    paths = []
    for record in (w.mine,):
        paths += record_paths("account", record, TABS)
    for record in (w.own_person, w.lead):
        paths += [*record_paths("contact", record, TABS), reverse("accounts:contact_job_edit", args=[record.pk])]
    for record in (w.own_deal, w.deal_here):
        paths += record_paths("opportunity", record, TABS)
    return paths


def paths_of_pages(w):
    """Return the addresses of everything else that may name a record."""
    paths = []
    for key in lists.keys():  # noqa: SIM118
        url = reverse(lists.get(key).url_name)
        paths += [url, f"{url}?view=all", f"{url}?search={SECRET.lower()}"]
    paths += [reverse("accounts:task_edit", args=[task.pk]) for task in w.tasks]
    paths += [
        "/",
        "/my-day/",
        "/my-day/?since=30",
        "/home/figures/",
        f"/search/?q={SECRET.lower()}",
        "/find/",
        f"/find/?q={SECRET.lower()}",
    ]
    paths += [f"/log/?record={kind}:{row.pk}" for kind, row in (("account", w.theirs), ("contact", w.person))]
    paths += [
        f"/log/records/?find={SECRET.lower()}",
        f"/tasks/new/?record=account:{w.theirs.pk}",
    ]
    paths += ["/opportunities/board/", f"/opportunities/board/column/?in={w.stage.slug}", "/opportunities/forecast/"]
    paths += [f"/contacts/unmatched/?show={show}" for show in ("proposals", "domains", "all")]
    paths += [
        "/evidence/",
        f"/evidence/objection/{w.term.pk}/",
        "/notifications/",
        "/deleted/",
        "/deleted/?kind=contact",
    ]
    paths += [f"/options/{kind}/?q={SECRET.lower()}" for kind in ("account", "contact", "opportunity")]
    return paths


@pytest.mark.parametrize("viewer", ["alice", "bob"])
@pytest.mark.parametrize("paths_of", [paths_of_records, paths_of_pages])
def test_no_page_or_fragment_names_what_others_own(client, w, viewer, paths_of):
    leaks, codes = [], set()
    user = getattr(w, viewer)
    for key in lists.keys():  # noqa: SIM118
        remember(key, user, [column.key for column in lists.get(key).columns(user, [])])
    client.force_login(user)
    for path in paths_of(w):
        headers = {"HX-Request": "true"} if "/facts/" in path else {}
        answer = client.get(path, headers=headers)
        codes.add(answer.status_code)
        text = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        at = text.find(SECRET)
        if at >= 0:
            leaks.append(f"{viewer} {path}: …{text[max(0, at - 90) : at + 60]}…")
    assert not leaks, "\n".join(leaks)
    assert codes <= {200, 302, 403, 404, 405}
    # What is looked for is there for who may see it.
    client.force_login(w.charlie)
    assert SECRET in client.get(reverse("accounts:account_detail", args=[w.theirs.pk])).content.decode()


def test_no_list_of_the_api_names_what_others_own(w):
    leaks = []
    for viewer in (w.alice, w.bob):
        api = caller(viewer)
        for route, methods in MATRIX.items():
            if "GET" in methods and "<" not in route and route != "schema/":
                text = api.get(f"/api/{route}").content.decode()
                if SECRET in text:
                    at = text.find(SECRET)
                    leaks.append(f"{viewer.username} {route}: …{text[max(0, at - 90) : at + 60]}…")
    assert not leaks, "\n".join(leaks)


def test_nothing_of_others_answers_by_its_number(client, w):
    """Every route of one record: 404, and nothing written."""
    note = w.theirs.notes.exclude(author=w.alice).first() or make.NoteFactory(account=w.theirs)
    file = w.theirs.attachments.get()
    base = {"account": w.theirs, "contact": w.person, "opportunity": w.deal}
    posts = [
        *(f"/{kind}s/{row.pk}/{act}/".replace("opportunitys", "opportunities") for kind, row in base.items()
          for act in ("delete", "edit", "facts/name")),
        f"/accounts/{w.theirs.pk}/needs/", f"/accounts/{w.theirs.pk}/technologies/", f"/accounts/{w.theirs.pk}/files/",
        f"/contacts/{w.person.pk}/roles/add/", f"/contacts/{w.person.pk}/job/", f"/contacts/{w.person.pk}/files/",
        f"/opportunities/{w.deal.pk}/move/", f"/opportunities/{w.deal.pk}/next-step/",
        f"/opportunities/{w.deal.pk}/said/",
        f"/opportunities/{w.deal.pk}/lines/", f"/opportunities/{w.deal.pk}/people/", f"/files/{file.pk}/remove/",
        f"/notes/{note.pk}/edit/", f"/notes/{note.pk}/remove/", f"/accounts/{w.theirs.pk}/survey/",
    ]  # fmt: skip
    gets = [
        f"/files/{file.pk}/", f"/accounts/{w.theirs.pk}/timeline/", f"/accounts/{w.theirs.pk}/changes/",
        f"/contacts/{w.person.pk}/timeline/", f"/opportunities/{w.deal.pk}/changes/",
        f"/accounts/{w.mine.pk}/timeline/?contact={w.person.pk}",
        f"/accounts/merge/?a={w.theirs.pk}&b={w.mine.pk}",
    ]  # fmt: skip
    for viewer in (w.alice, w.bob):
        client.force_login(viewer)
        wrong = [(path, "post", code) for path in posts if (code := client.post(path).status_code) != 404]
        wrong += [
            (path, "get", code)
            for path in gets
            if (code := client.get(path).status_code) != (403 if "merge" in path and viewer == w.alice else 404)
        ]
        assert not wrong, (viewer.username, wrong)
