"""The permission matrix of the pages: every route outside the API × seven roles and anonymous (R59, R64, R75, T5)."""

import re
import uuid
from collections.abc import Iterator

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.imports.options import ImportOptions
from accounts.imports.uploads import store_upload
from accounts.models import RecordChange
from accounts.services.deletion import delete_record
from accounts.services.files import store_file, take_away
from accounts.services.merging import merge_records
from segmentation_crm.common.jobs import enqueue
from segmentation_crm.common.models import BulkAct, Export, Role, SavedView
from segments.models import SegmentOverride
from segments.services.partitions import Part, create_partition
from segments.services.splits import Group, create_split
from segments.webhooks.changing import create_webhook
from segments.webhooks.events import send_test
from tests import factories as make
from tests.factories import AccountFactory, ContactFactory, OpportunityFactory, TeamFactory, UserFactory
from tests.page_matrix import CLOSED, ENTRANCE, IMPORT_PAGES, IMPORTERS, LOGIN, PAGES, ROLES
from tests.segments.making import built, larger_than

pytestmark = pytest.mark.django_db
ADMIN_SITE = "admin"
# What the pages of one record are called: somebody else's are not there for a rep.
FOREIGN = (
    "_detail",
    "_edit",
    "_timeline",
    "_around",
    "opportunity_lines",
    "opportunity_people",
    "_survey",
    "_download",
)
NOUNS = ("account", "contact", "opportunity")
OF_RECORDS = {f"accounts:{noun}_{act}" for noun in NOUNS for act in ("changes", "fact", "delete")} | {"segments:why"}


def routes() -> Iterator[tuple[str, str]]:
    """Yield (name with namespace, pattern) of every route outside /api/ and the admin."""

    def walk(patterns: list, names: list[str], prefix: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            text = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                inner = [*names, pattern.namespace] if pattern.namespace else names
                if inner[:1] != [ADMIN_SITE]:
                    yield from walk(pattern.url_patterns, inner, text)
            else:
                yield ":".join([*names, pattern.name or ""]), text

    yield from walk(get_resolver().url_patterns, [], "")


@pytest.fixture
def owner():
    return UserFactory(username="owner", role=Role.SALES_REP, team=TeamFactory())


@pytest.fixture
def world(owner):
    """One of everything, nobody's but the owner's; the arguments of each route by the name of its last part."""
    account = AccountFactory(owner=owner, employee_count=100)
    contact = ContactFactory(account=account, owner=owner)
    deal = OpportunityFactory(account=account, owner=owner)
    segment = built(larger_than(50))
    decided = SegmentOverride.objects.create(segment=segment, account=account, mode="include", reason="known")
    job = enqueue("segment.rebuild", key="other", payload={"segment": segment.pk}, user=owner)
    maker = UserFactory(username="maker", role=Role.SALES_MANAGER)
    upload = SimpleUploadedFile("a.csv", b"name,domain\nKessler,kessler.example\n")
    record = store_upload(upload, ImportOptions(type="accounts", source="import"), maker)
    act = BulkAct.objects.create(user=maker, record="contact", action="delete", title="Delete", total=1)
    view = SavedView.objects.create(record="account", name="Mine", owner=owner)
    export = Export.objects.create(user=maker, record="contact", title="Contacts")
    return {
        "maker": maker,
        "args": {
            "account": [account.pk],
            "contact": [contact.pk],
            "opportunity": [deal.pk],
            "segments": [segment.slug],
            "segments:override_remove": [segment.slug, decided.pk],
            "segments:overlaps": [],
            **divisions_world(maker, segment),
            "segments:why": [segment.slug, account.pk],
            "segments:undecided_rule": [],
            "segments:templates": [],
            "segments:definitions": [],
            "segments:definitions_export": [],
            **webhooks_world(),
            "jobs": [job.public_id],
            "import": [record.public_id],
            "user": [owner.pk],
            "token_revoke": ["abcdefgh"],
            **{name: [act.public_id] for name in ("bulk:act", "bulk:undo", "bulk:refused")},
            "exports:download": [export.pk],
            **changes_world(account, contact, deal),
            **{name: ["account"] for name in ("lists:view_new", "lists:columns", "lists:count", "segments:list_rule")},
            **{name: [view.pk] for name in ("lists:view_edit", "lists:view_save", "lists:view_delete")},
            "lists:view_restore": [],
            **deal_world(deal),
            "accounts:task_list": [],
            "accounts:filter_options": ["people"],
            **settings_world(),
            **records_world(account, contact, deal, owner),
            "accounts:options": ["account"],
            "task": [make.TaskFactory(account=account, owner=owner).pk],
            "accounts:task_delete": [make.TaskFactory(account=account, owner=owner).pk],
            "accounts:quick_log_terms": ["objection"],
            "accounts:quick_log_undo": [uuid.uuid4()],
            "accounts:evidence_rows": ["objection", make.EvidenceFactory(account=account).term_id],
            "notification_open": [make.NotificationFactory(user=owner).pk],
        },
    }


def webhooks_world() -> dict[str, list]:
    """Return the arguments of the pages of webhooks."""
    values = {"name": "Hook", "url": "https://example.com/", "events": ["segment.entered"]}
    boss = UserFactory(role=Role.ADMIN)
    webhook, other = (create_webhook(boss, **values)[0] for _ in range(2))
    delivery = send_test(webhook)
    return {
        "webhooks": [webhook.pk],
        **{f"webhooks:{name}": [webhook.pk, delivery.pk] for name in ("delivery", "redeliver")},
        "webhooks:delete": [other.pk],
    }


def deal_world(deal) -> dict[str, list]:
    """Return the arguments of what is edited on a deal's page."""
    line, person = make.OpportunityLineFactory(opportunity=deal), make.OpportunityContactFactory(opportunity=deal)
    names = ("line_new", "amount_from_lines", "person_new")
    return {
        **{f"accounts:deal_{name}": [deal.pk] for name in names},
        **{f"accounts:deal_{name}": [deal.pk, line.pk] for name in ("line", "line_remove")},
        **{f"accounts:deal_{name}": [deal.pk, person.pk] for name in ("person", "person_remove")},
    }


def changes_world(account, contact, deal) -> dict[str, list]:
    """Return the arguments of the routes that change records in place and bring them back."""
    account.name = "Another name"
    account.save()
    change = RecordChange.objects.filter(record_type="account", record_id=account.pk).latest("id")
    owner = account.owner
    merge = merge_records(AccountFactory(owner=owner), AccountFactory(owner=owner), {})
    found = {
        "accounts:change_undo": [change.pk],
        "accounts:merge_undo": [merge.pk],
        **{f"accounts:{noun}_merge": [] for noun in ("account", "contact", "opportunity")},
    }
    for noun, record, field, factory in (
        ("account", account, "city", AccountFactory),
        ("contact", contact, "job_title", ContactFactory),
        ("opportunity", deal, "name", OpportunityFactory),
    ):
        found[f"accounts:{noun}_fact"] = [record.pk, field]
        found[f"accounts:{noun}_restore"] = [delete_record(factory(owner=owner)).pk]
    return found


def records_world(account, contact, deal, owner) -> dict[str, list]:
    """Return the arguments of the parts of record pages."""

    def kept_file():
        return store_file(account, SimpleUploadedFile("plan.pdf", b"%PDF"), owner)

    taken = kept_file()
    take_away(taken)
    day = timezone.localdate().isoformat()
    technology = make.AccountTechnologyFactory(account=account)
    return {
        "accounts:account_timeline_day": [account.pk, day],
        "accounts:contact_timeline_day": [contact.pk, day],
        "accounts:opportunity_timeline_day": [deal.pk, day],
        "needs": [make.NeedFactory(account=account, evidence="inferred_usage").pk],
        "technologies": [technology.pk],
        "accounts:technologies_remove": [make.AccountTechnologyFactory(account=account).pk],
        "accounts:needs_restore": [],
        "accounts:technologies_restore": [],
        "file": [kept_file().pk],
        "accounts:file_remove": [kept_file().pk],
        "accounts:file_restore": [taken.pk],
        "note": [make.NoteFactory(account=account, author=owner).pk],
    }


# What the first who may takes away from the others.
ONCE = {"segments:override_remove", "segments:partition_delete", "segments:split_delete"}


def divisions_world(maker, segment):
    """Return the arguments of the pages of versions, partitions and splits."""
    source = built(larger_than(70), "Source")
    partition = create_partition(maker, name="Tiers", member_type="account", parts=[Part("First", source)])
    split = create_split(maker, name="Trial", base=source, groups=[Group("A", 5_000), Group("B", 5_000)])
    return {
        "segments:version_restore": [segment.slug, 1],
        "segments:divisions": [],
        "segments:static_new": [],
        **{f"segments:partition_{act}": [partition.slug] for act in ("detail", "edit", "delete")},
        "segments:partition_new": [],
        **{f"segments:split_{act}": [split.slug] for act in ("detail", "edit", "delete")},
        "segments:split_new": [],
    }


def settings_world() -> dict[str, list]:
    """Return the arguments of the settings area's routes."""
    team, product, pipeline = TeamFactory(), make.ProductFactory(), make.PipelineFactory()
    own = {
        "rate": make.ExchangeRateFactory(),
        "territory": make.TerritoryFactory(countries=["DE"]),
        "role_template": make.RoleTemplateFactory(),
        "pipeline": pipeline,
        "stage": make.StageFactory(),
        "term": make.TermFactory(),
        "field": make.CustomFieldFactory(),
    }
    args: dict[str, list] = {}
    for noun, row in own.items():
        for act in ("", "_delete", "_merge", "_retire", "_restore"):
            args[f"accounts:settings_{noun}{act}"] = [row.pk]
    for act in ("", "_delete", "_merge"):
        args[f"accounts:settings_entry{act}"] = ["product", product.pk]
    return {
        **args,
        "accounts:settings_entry_new": ["product"],
        "accounts:settings_catalogue": ["product"],
        "accounts:settings_stage_new": [pipeline.pk],
        "accounts:settings_stage_order": [pipeline.pk],
        "accounts:settings_vocabulary": ["tag"],
        "accounts:settings_term_new": ["tag"],
        "settings_team": [team.pk],
        "settings_team_delete": [team.pk],
        "settings_token_revoke": ["abcdefgh"],
    }


def address(name: str, world: dict) -> str:
    """Return the address of a route, with the arguments of the world where it takes some."""
    args = world["args"]
    plain = name.split(":")[-1]
    for key in (name, name.split(":")[0], plain.split("_")[0]):
        if key in args and (key == name or not plain.endswith(("list", "new"))):
            return reverse(name, args=args[key])
    return reverse(name)


def entrance(name: str) -> str:
    """Return the address of a page of allauth."""
    return reverse(
        name, args={"account_reset_password_from_key": ["1", "k-y"], "account_confirm_email": ["k"]}.get(name, [])
    )


def answer(client: Client, path: str, method: str = "get") -> int | str:
    """Return the status, or "login" for a way to the log-in page."""
    response = getattr(client, method)(path)
    if response.status_code == 302 and response.url.startswith(reverse("account_login")):
        return LOGIN
    if getattr(response, "streaming", False):
        b"".join(response.streaming_content)
    return response.status_code


def test_every_route_is_listed():
    listed = set(PAGES) | set(IMPORT_PAGES) | set(ENTRANCE) | CLOSED
    found = {name for name, text in routes() if not text.startswith("api/")} | {"api_docs"}
    assert found == listed


def test_r64_pages_answer_each_role_as_listed(world):
    wrong = []
    for role in (None, *ROLES):
        client = Client()
        if role is not None:
            team = UserFactory._meta.model.objects.get(username="owner").team if role == "sales_manager" else None
            client.force_login(UserFactory(role=role, team=team))
        for name, page in PAGES.items():
            if role is None:
                right = page.anonymous
            elif role == "sales_rep" and name in OF_RECORDS:
                right = 404
            elif role == "sales_rep" and any(word in name for word in FOREIGN) and "account" in name:
                right = 404 if name.startswith("accounts:") else page.refused
            else:
                right = page.granted if role in page.roles else page.refused
            found = answer(client, address(name, world))
            if found != right and not (role is None and right == LOGIN and found == 405):
                wrong.append(f"{role} {name}: {found}, not {right}")
    assert not wrong, "\n".join(wrong)


def test_r64_a_rep_opens_their_own_records_and_nobody_elses(world, owner):
    mine, other = Client(), Client()
    mine.force_login(owner)
    other.force_login(UserFactory(role=Role.SALES_REP, team=TeamFactory()))
    for noun in ("account", "contact", "opportunity"):
        for action in ("detail", "edit"):
            path = address(f"accounts:{noun}_{action}", world)
            assert (answer(mine, path), answer(other, path)) == (200, 404), path
            missing = other.get(reverse(f"accounts:{noun}_{action}", args=[10**9])).content.decode()
            assert without_tokens(other.get(path).content.decode()) == without_tokens(missing)
            before = type_of(noun).objects.values().get(pk=world["args"][noun][0])
            assert other.post(path, {"name": "Taken"}).status_code == (404 if action == "edit" else 405)
            assert type_of(noun).objects.values().get(pk=world["args"][noun][0]) == before


def without_tokens(text: str) -> str:
    """Return a page without its CSRF tokens, which differ each time."""
    return re.sub(r"[A-Za-z0-9]{64}", "", text)


def type_of(noun: str):
    """Return the model."""
    from accounts import models

    return getattr(models, noun.title())


def test_r22_imports_are_their_makers_and_admins(world):
    for role in (None, "maker", *ROLES):
        client = Client()
        if role == "maker":
            client.force_login(world["maker"])
        elif role is not None:
            client.force_login(UserFactory(role=role))
        for name, granted in IMPORT_PAGES.items():
            found = answer(client, address(name, world))
            if role is None:
                assert found == LOGIN
            elif granted == 405:
                assert found == 405
            elif role in ("maker", "admin"):
                assert found == granted, (role, name)
            else:
                assert found == (404 if role in IMPORTERS else 403), (role, name)


def test_entrance_pages_answer_as_listed(world):
    inside, outside = Client(), Client()
    inside.force_login(UserFactory())
    wrong = []
    for name, (anonymous, signed_in) in ENTRANCE.items():
        path = entrance(name)
        found = (answer(outside, path), answer(inside, path) if name != "account_logout" else signed_in)
        if found != (anonymous, signed_in):
            wrong.append(f"{name}: {found}, not {(anonymous, signed_in)}")
    assert not wrong, "\n".join(wrong)


def test_r75_post_needs_a_csrf_token_and_the_role(world):
    wrong = []
    for role in ROLES:
        user = UserFactory(role=role)
        strict, plain = Client(enforce_csrf_checks=True), Client()
        strict.force_login(user)
        plain.force_login(user)
        for name in [*PAGES, *IMPORT_PAGES, *ENTRANCE]:
            path = entrance(name) if name in ENTRANCE else address(name, world)
            refused = strict.post(path).status_code
            if refused not in (403, 405, 415):
                wrong.append(f"{role} POST {name} without token: {refused}")
        for name, page in PAGES.items():
            if page.posts is None or name in ONCE:
                continue
            cache.clear()
            found = answer(plain, address(name, world), "post")
            if (found in (200, 204, 302)) is not (role in page.posts) or (
                role not in page.posts and found not in (403, 404)
            ):
                wrong.append(f"{role} POST {name}: {found}")
    assert not wrong, "\n".join(wrong)


def test_r75_the_api_with_a_session_needs_a_csrf_token():
    client = Client(enforce_csrf_checks=True)
    client.force_login(UserFactory())
    refused = client.post("/api/v1/accounts/", {"name": "Kessler"}, content_type="application/json")
    assert refused.status_code == 403
    assert "detail" in refused.json()


def rows() -> dict[str, str]:
    """Return the contents of every table, sessions left out."""
    found = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table != Session._meta.db_table:
                cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
                found[table] = repr(sorted(map(repr, cursor.fetchall())))
    return found


def test_r59_get_and_head_twice_change_nothing(world, client):
    client.force_login(UserFactory())
    # A refusal is audited: pages that are refused to everybody are left out.
    paths = [address(name, world) for name, page in PAGES.items() if page.roles or page.refused != 403]
    paths += [address(name, world) for name in IMPORT_PAGES]
    paths += ["/api/v1/accounts/", "/api/v1/segments/", "/api/v1/segments/fields/", "/api/schema/", "/admin/"]
    before = rows()
    for path in paths:
        for method in ("get", "head", "get", "head"):
            answer(client, path, method)
    after = rows()
    assert [table for table in before if before[table] != after[table]] == []


@pytest.mark.parametrize("role", [*ROLES, None])
def test_the_admin_site_is_for_admins(role, world):
    client = Client()
    if role is not None:
        client.force_login(UserFactory(role=role))
    patterns = [p for p in get_resolver().url_patterns if getattr(p, "namespace", "") == ADMIN_SITE]
    assert len(patterns) == 1
    for path in ("/admin/", "/admin/common/user/", "/admin/accounts/account/", "/admin/common/auditentry/"):
        response = client.get(path)
        if role == "admin":
            assert response.status_code == 200, path
        elif role is None:
            assert response.status_code == 302, path
            assert response.url.startswith(("/admin/login/", reverse("account_login")))
        else:
            # Django's admin sends whoever may not enter to its log-in page, which refuses the role.
            assert response.status_code in (302, 403), path
            assert client.get(path, follow=True).status_code == 403


def test_a_job_that_is_not_there_is_404(client):
    client.force_login(UserFactory())
    assert client.get(reverse("jobs:detail", args=[uuid.uuid4()])).status_code == 404
