"""Lists, pages and forms of accounts, contacts, opportunities and activities."""

import datetime as dt
import re
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Account, Contact, CustomField, Opportunity
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountFactory,
    AccountTechnologyFactory,
    ActivityFactory,
    ContactAccountFactory,
    ContactFactory,
    NeedFactory,
    OpportunityFactory,
    PurchaseFactory,
    StageFactory,
    TeamFactory,
    TermFactory,
    TerritoryFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db
LISTS = ["account_list", "contact_list", "opportunity_list", "activity_list"]


@pytest.fixture
def alice():
    """A rep with an account of her own."""
    return UserFactory(username="alice", role=Role.SALES_REP, team=TeamFactory())


@pytest.fixture
def bob(alice):
    """The manager of alice's team."""
    return UserFactory(username="bob", role=Role.SALES_MANAGER, team=alice.team)


@pytest.fixture
def charlie():
    """A rep of another team."""
    return UserFactory(username="charlie", role=Role.SALES_REP, team=TeamFactory())


@pytest.fixture
def admin():
    return UserFactory()


def log_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def get(client, user, name, *args, status=200, **query):
    response = log_in(client, user).get(reverse(f"accounts:{name}", args=args), query)
    assert response.status_code == status
    return response.content.decode()


@pytest.mark.parametrize("name", LISTS)
def test_lists_ask_to_log_in(client, name):
    response = client.get(reverse(f"accounts:{name}"))
    assert response.status_code == 302
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("name", LISTS)
def test_an_empty_list_says_what_comes_next(client, admin, name):
    text = get(client, admin, name)
    assert "yet</h2>" in text
    assert reverse("accounts:import_new") in text


def test_three_people_see_of_an_account_what_is_theirs(client, alice, bob, charlie):
    account = AccountFactory(name="Kessler Werke", owner=alice)
    contact = ContactFactory(account=account, last_name="Brandt")
    deal = OpportunityFactory(account=account, name="Rollout")
    ActivityFactory(account=account, contact=contact, subject="Fair follow-up")
    pages = [("account", account), ("contact", contact), ("opportunity", deal)]
    for user, may in ((alice, True), (bob, True), (charlie, False)):
        for kind, record in pages:
            get(client, user, f"{kind}_detail", record.pk, status=200 if may else 404)
            get(client, user, f"{kind}_edit", record.pk, status=200 if may else 404)
            assert (str(record) in get(client, user, f"{kind}_list")) is may
        assert ("Fair follow-up" in get(client, user, "activity_list")) is may


def test_a_record_that_is_not_there_answers_like_one_not_seen(client, charlie):
    hidden = AccountFactory()
    not_seen = log_in(client, charlie).get(reverse("accounts:account_detail", args=[hidden.pk]))
    missing = client.get(reverse("accounts:account_detail", args=[hidden.pk + 999]))
    assert not_seen.status_code == missing.status_code == 404
    token = re.compile(rb'"X-CSRFToken": "[^"]*"')
    assert token.sub(b"", not_seen.content) == token.sub(b"", missing.content)


def test_an_account_one_may_not_see_stays_unnamed_on_its_people_and_deals(client, alice):
    hidden = AccountFactory(name="Secret Holdings")
    contact = ContactFactory(account=hidden, owner=alice, email="p@elsewhere.example")
    deal = OpportunityFactory(account=hidden, owner=alice)
    for name, args in (
        ("contact_list", []),
        ("opportunity_list", []),
        ("contact_detail", [contact.pk]),
        ("opportunity_detail", [deal.pk]),
    ):
        assert "Secret Holdings" not in get(client, alice, name, *args), name


def test_a_parent_one_may_not_see_stays_unnamed(client, alice):
    account = AccountFactory(owner=alice, parent_account=AccountFactory(name="Secret Holdings"))
    assert "Secret Holdings" not in get(client, alice, "account_detail", account.pk)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.VIEWER])
def test_who_only_reads_gets_no_form(client, role):
    user = UserFactory(role=role)
    account = AccountFactory()
    text = get(client, user, "account_detail", account.pk)
    assert reverse("accounts:account_edit", args=[account.pk]) not in text
    for kind in ("account", "contact", "opportunity"):
        get(client, user, f"{kind}_new", status=403)
    response = client.post(reverse("accounts:account_edit", args=[account.pk]), {"name": "Other"})
    assert response.status_code == 403
    assert Account.objects.get().name == account.name


def test_search_filters_and_order_stand_in_the_address(client, admin):
    AccountFactory(name="Alpha", country="DE", employee_count=10, account_type="customer")
    AccountFactory(name="Beta", country="DE", employee_count=900, account_type="prospect")
    AccountFactory(name="Gamma", country="US", employee_count=50, account_type="customer")
    assert "Beta" not in get(client, admin, "account_list", account_type="customer")
    text = get(client, admin, "account_list", country="DE", ordering="-employee_count")
    assert "Gamma" not in text
    assert text.index("Beta") < text.index("Alpha")
    assert 'aria-sort="descending"' in text
    assert "Germany" in text
    assert "Alpha" in get(client, admin, "account_list", search="LPH")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"tier": "9"}, "Tier"),
        ({"employee_count_min": "many"}, "Employees from"),
        ({"nonsense": "1"}, "nonsense"),
        ({"ordering": "owner__password"}, "rdering"),
        ({"employee_count_min": "9" * 40}, "Employees from"),
    ],
)
def test_a_wrong_filter_is_named_and_no_rows_pretend_to_fit(client, admin, query, words):
    AccountFactory(name="Alpha")
    text = get(client, admin, "account_list", **query)
    assert "note-bad" in text
    assert words in text
    assert ">Alpha<" not in text


def test_pages_by_key_show_every_row_once(client, admin):
    names = [f"Account {number:03d}" for number in range(120)]
    Account.objects.bulk_create(Account(name=name, name_folded=name.lower()) for name in names)
    log_in(client, admin)
    url, seen = reverse("accounts:account_list"), []
    for _ in range(5):
        response = client.get(url)
        rows = response.context["table"].page.rows
        seen += [row.name for row in rows]
        following = response.context["table"].page.next_url
        if not following:
            break
        url = reverse("accounts:account_list") + following
    assert seen == names
    back = client.get(reverse("accounts:account_list") + response.context["table"].page.previous_url)
    assert [row.name for row in back.context["table"].page.rows] == names[50:100]


def test_a_cursor_of_another_order_shows_the_beginning_and_says_so(client, admin):
    Account.objects.bulk_create(Account(name=f"Account {n:03d}", name_folded=f"account {n:03d}") for n in range(60))
    log_in(client, admin)
    following = client.get(reverse("accounts:account_list")).context["table"].page.next_url
    text = client.get(reverse("accounts:account_list") + following + "&ordering=-updated_at").content.decode()
    assert "here is its beginning" in text
    assert client.get(reverse("accounts:account_list"), {"cursor": "nonsense"}).status_code == 200


@pytest.mark.parametrize(
    ("name", "make", "most"),
    [
        ("account_list", lambda user: AccountFactory(owner=user), 18),
        ("contact_list", lambda user: ContactFactory(owner=user), 15),
        ("opportunity_list", lambda user: OpportunityFactory(owner=user), 21),
        ("activity_list", lambda user: ActivityFactory(user=user), 14),
    ],
)
def test_lists_take_the_same_queries_however_many_rows(client, admin, name, make, most, django_assert_max_num_queries):
    for _ in range(12):
        make(admin)
    get(client, admin, name)
    with django_assert_max_num_queries(most):
        get(client, admin, name)


def test_the_page_of_an_account_shows_facts_people_deals_and_tabs(client, admin, django_assert_max_num_queries):
    account = AccountFactory(
        owner=admin, country="DE", employee_count=1250, annual_revenue=Decimal(2400000), annual_revenue_currency="EUR"
    )
    definition = CustomField.objects.create(record="account", key="plants", label="Plants", type="integer")
    account.custom_values.create(definition=definition, number=4)
    ContactFactory(account=account, first_name="Anna", last_name="Brandt")
    OpportunityFactory(account=account, name="Rollout", stage=StageFactory())
    AccountTechnologyFactory(account=account)
    NeedFactory(account=account)
    PurchaseFactory(account=account)
    ActivityFactory(account=account, contact=None, type="call", subject="Price list")
    text = get(client, admin, "account_detail", account.pk, whole="1")
    for words in ("1,250", "€2,400,000", "Germany", "Anna Brandt", "Rollout", "Price list", "Plants"):
        assert words in text, words
    for tab in ("contacts", "opportunities", "technologies", "needs", "purchases", "activities"):
        assert f"?tab={tab}" in text
        assert "data-label" in get(client, admin, "account_detail", account.pk, tab=tab) or tab == "needs"
    assert "?tab=contracts" not in text
    get(client, admin, "account_detail", account.pk, tab="nonsense", status=404)
    for name, most in (("detail", 22), ("around", 20), ("timeline", 28)):
        with django_assert_max_num_queries(most):
            get(client, admin, f"account_{name}", account.pk)


@pytest.mark.parametrize("kind", ["account", "contact", "opportunity"])
def test_parts_below_the_first_screen_come_after_the_page_or_with_it(client, admin, kind):
    account = AccountFactory(name="Kessler Werke")
    contact = ContactFactory(account=account)
    deal = OpportunityFactory(account=account, stage=StageFactory())
    record = {"account": account, "contact": contact, "opportunity": deal}[kind]
    ActivityFactory(account=account, contact=contact, opportunity=deal, type="call", subject="Price list")
    NeedFactory(account=None if kind == "contact" else account, contact=contact if kind == "contact" else None)
    page = get(client, admin, f"{kind}_detail", record.pk)
    parts = re.findall(r'<section class="later[^>]*hx-get="([^"]+)" hx-trigger="load"', page)
    assert len(parts) == (4 if kind == "opportunity" else 2)
    assert "Price list" not in page
    assert page.count(f"/{record.pk}/?whole=1#") == len(parts)  # the way without scripts
    fetched = "".join(client.get(part).content.decode() for part in parts)
    whole = get(client, admin, f"{kind}_detail", record.pk, whole="1")
    assert 'hx-trigger="load" hx-swap="outerHTML" aria-busy' not in whole
    for words in ("Price list", 'id="timeline"', 'id="known-needs"', *(('id="deal-lines"',) if deal is record else ())):
        assert words in fetched, words
        assert words in whole, words
    assert "HX-Push-Url" not in client.get(next(part for part in parts if "timeline" in part)).headers
    # What was chosen in the timeline by its address stands in the page.
    assert "Price list" in get(client, admin, f"{kind}_detail", record.pk, kind="conversation")


def test_a_related_tab_pages_by_twenty(client, admin):
    account = AccountFactory()
    Contact.objects.bulk_create(
        Contact(first_name=f"P{n:02d}", last_name="X", full_name_folded=f"p{n:02d} x", account=account)
        for n in range(25)
    )
    text = get(client, admin, "account_detail", account.pk, tab="contacts")
    assert "P19" in text
    assert "P20" not in text
    assert "20 contacts on this page" in text


def test_a_new_account_by_form(client, admin):
    tag = TermFactory(vocabulary="tag", name="Fair")
    definition = CustomField.objects.create(record="account", key="plants", label="Plants", type="integer")
    data = {
        "name": "Kessler Werke",
        "domain": "https://www.Kessler.example/de",
        "account_type": "prospect",
        "annual_revenue": "1000",
        "annual_revenue_currency": "eur",
        "tags": [tag.pk],
        "custom_plants": "4",
    }
    response = log_in(client, admin).post(reverse("accounts:account_new"), data)
    account = Account.objects.get()
    assert response.url == reverse("accounts:account_detail", args=[account.pk])
    assert (account.domain, account.annual_revenue_currency) == ("kessler.example", "EUR")
    assert account.values_multi.get().term == tag
    assert account.custom_values.get(definition=definition).number == 4


@pytest.mark.parametrize(
    ("data", "field", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"domain": "not a domain"}, "domain", "such as example.com"),
        ({"annual_revenue_currency": "XQQ"}, "annual_revenue_currency", "ISO 4217"),
        ({"subdivision": "Bavaria"}, "subdivision", "ISO 3166-2"),
        ({"employee_count": "-1"}, "employee_count", "greater than or equal"),
        ({"founded_year": "0"}, "founded_year", "1"),
        ({"account_type": ""}, "account_type", "Prospect"),
        ({"parent_account": "999999"}, "parent_account", "not there"),
    ],
)
def test_a_wrong_value_is_told_beside_its_field_and_nothing_typed_is_lost(client, admin, data, field, words):
    sent = {"name": "Kessler Werke", "account_type": "prospect", "city": "Stuttgart", **data}
    response = log_in(client, admin).post(reverse("accounts:account_new"), sent)
    assert response.status_code == 200
    form = response.context["form"]
    assert words in " ".join(form.errors[field]) or words in str(form.errors)
    assert "Stuttgart" in response.content.decode()
    assert not Account.objects.exists()


def test_a_domain_in_use_is_refused_with_words(client, admin):
    AccountFactory(domain="kessler.example")
    data = {"name": "Other", "account_type": "prospect", "domain": "Kessler.example"}
    response = log_in(client, admin).post(reverse("accounts:account_new"), data)
    assert "Another account already has this domain." in response.content.decode()


def test_a_circle_of_parents_is_refused(client, admin):
    top = AccountFactory(name="Top")
    below = AccountFactory(name="Below", parent_account=top)
    data = {"name": "Top", "account_type": "prospect", "parent_account": below.pk, "version": top.version}
    response = log_in(client, admin).post(reverse("accounts:account_edit", args=[top.pk]), data)
    assert response.status_code == 200
    assert "circle" in response.content.decode()


def test_nobody_writes_over_a_newer_change_unknowingly(client, admin):
    account = AccountFactory(name="Old")
    stale = account.version
    account.city = "Turin"
    account.save()
    data = {"name": "New", "account_type": "prospect", "version": stale}
    response = log_in(client, admin).post(reverse("accounts:account_edit", args=[account.pk]), data)
    assert "Somebody changed this record" in response.content.decode()
    account.refresh_from_db()
    assert (account.name, account.city) == ("Old", "Turin")


def test_a_rep_owns_what_the_rep_makes_and_hands_nothing_over(client, alice, charlie):
    log_in(client, alice)
    form = client.get(reverse("accounts:account_new")).context["form"]
    assert form.initial["owner"] == alice.pk
    data = {"name": "Mine", "account_type": "prospect", "owner": charlie.pk}
    assert "owner" in client.post(reverse("accounts:account_new"), data).context["form"].errors
    client.post(reverse("accounts:account_new"), {**data, "owner": alice.pk})
    assert Account.objects.get().owner == alice


def test_a_rep_cannot_make_what_the_rep_would_not_see(client, alice):
    data = {"name": "Nobody's", "account_type": "prospect", "owner": ""}
    response = log_in(client, alice).post(reverse("accounts:account_new"), data)
    assert response.status_code == 200
    assert "would not see" in response.content.decode()
    assert not Account.objects.exists()


def test_a_contact_by_form(client, admin):
    account = AccountFactory(name="Kessler")
    log_in(client, admin)
    text = client.get(reverse("accounts:contact_new"), {"account": account.pk}).content.decode()
    assert "Kessler" in text
    data = {"first_name": "Anna", "email": "Anna@Kessler.EXAMPLE", "account": account.pk, "buying_roles": ["champion"]}
    client.post(reverse("accounts:contact_new"), data)
    contact = Contact.objects.get()
    assert contact.email == "anna@kessler.example"
    assert contact.values_multi.get().token == "champion"
    response = client.post(reverse("accounts:contact_new"), {"job_title": "CFO"})
    assert "Give a name or an e-mail address" in response.content.decode()


def test_an_opportunity_by_form_takes_its_pipeline_from_the_stage(client, admin):
    stage, other = StageFactory(), StageFactory()
    log_in(client, admin)
    data = {"name": "Rollout", "stage": stage.pk, "pipeline": other.pipeline.pk}
    response = client.post(reverse("accounts:opportunity_new"), data)
    assert "is no stage of the pipeline" in response.content.decode()
    client.post(reverse("accounts:opportunity_new"), {"name": "Rollout", "stage": stage.pk, "amount": "1200.50"})
    deal = Opportunity.objects.get()
    assert (deal.pipeline, deal.amount) == (stage.pipeline, Decimal("1200.50"))


def test_options_search_only_what_one_may_see(client, alice, charlie):
    account = AccountFactory(name="Kessler Werke", owner=alice)
    url = reverse("accounts:options", args=["account"])
    found = log_in(client, alice).get(url, {"q": "kess"}).json()
    assert found == {"results": [{"value": account.pk, "text": "Kessler Werke", "sub": ""}]}
    assert log_in(client, charlie).get(url, {"q": "kess"}).json() == {"results": []}
    assert client.get(reverse("accounts:options", args=["password"])).status_code == 404


def test_activities_show_who_and_what_newest_first(client, admin):
    now = timezone.now()
    contact = ContactFactory(first_name="Anna", last_name="Brandt")
    ActivityFactory(contact=contact, subject="Older call", occurred_at=now - dt.timedelta(days=2))
    ActivityFactory(contact=contact, subject="Newer call", occurred_at=now - dt.timedelta(hours=1))
    text = get(client, admin, "activity_list")
    assert text.index("Newer call") < text.index("Older call")
    assert "Anna Brandt" in text


def test_names_are_text_never_markup(client, admin):
    account = AccountFactory(name="<script>alert(1)</script>", domain="x.example")
    for name, args in (("account_list", []), ("account_detail", [account.pk]), ("account_edit", [account.pk])):
        assert "<script>alert" not in get(client, admin, name, *args)


TABS = {
    "account": ["contacts", "committee", "opportunities", "activities", "tasks", "notes", "files", "needs",
                "technologies", "content", "surveys", "purchases", "contracts", "support", "group"],
    "contact": ["opportunities", "activities", "tasks", "notes", "files", "needs", "content", "surveys", "accounts",
                "consents"],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "tab"), [(kind, tab) for kind, tabs in TABS.items() for tab in tabs])
def test_a_tab_takes_few_queries_for_a_rep_too(client, alice, kind, tab, django_assert_max_num_queries):
    team_territory = TerritoryFactory(countries=["DE"], region_slugs=["nordics"])
    team_territory.users.add(alice)
    account = AccountFactory(owner=alice)
    record = account if kind == "account" else ContactFactory(account=account)
    for _ in range(4):
        person = ContactFactory(account=account)
        ActivityFactory(contact=person, type="call")
        AccountTechnologyFactory(account=account)
        NeedFactory(account=account)
        PurchaseFactory(account=account)
        OpportunityFactory(account=account)
    get(client, alice, f"{kind}_detail", record.pk, tab=tab)
    with django_assert_max_num_queries(30):
        get(client, alice, f"{kind}_detail", record.pk, tab=tab)


@pytest.mark.parametrize("kind", ["account", "contact"])
def test_a_page_takes_the_same_queries_for_a_rep_with_territories(client, alice, kind, django_assert_max_num_queries):
    TerritoryFactory(countries=["DE"], region_slugs=["nordics"]).users.add(alice)
    contact = ContactFactory(account=AccountFactory(owner=alice))
    pk = contact.account_id if kind == "account" else contact.pk
    get(client, alice, f"{kind}_detail", pk)
    for name, most in (("detail", 25), ("around", 21), ("timeline", 28)):
        with django_assert_max_num_queries(most):
            get(client, alice, f"{kind}_{name}", pk)


def test_figures_are_computed_lead_to_their_records_and_hide_when_empty(client, admin):
    account = AccountFactory()
    assert "record-figures" not in get(client, admin, "account_detail", account.pk)
    for amount, stage in ((1000, StageFactory()), (500, StageFactory()), (70, StageFactory(is_won=True))):
        OpportunityFactory(account=account, amount=amount, stage=stage, name=f"Deal {amount}")
    people = [ContactFactory(account=account) for _ in range(2)]
    ActivityFactory(contact=people[0], type="email_reply")
    ActivityFactory(contact=people[0], type="form_submit")
    ActivityFactory(contact=people[1], type="email_open")
    text = get(client, admin, "account_detail", account.pk)
    figures = text.split("record-figures")[1].split("</nav>")[0]
    for words in ("$1.5K", "2 open deals", "$70", "1 won deal", "Contacts engaged"):
        assert words in figures, words
    assert "Next contract end" not in figures
    won = get(client, admin, "account_detail", account.pk, tab="opportunities", state="won")
    assert "Deal 70" in won
    assert "Deal 1000" not in won
    engaged = get(client, admin, "account_detail", account.pk, tab="contacts", engaged="1")
    assert people[0].name in engaged
    assert people[1].name not in engaged


def test_former_people_and_the_group_are_shown(client, admin):
    top = AccountFactory(name="Kessler Holding")
    account = AccountFactory(name="Kessler Werke", parent_account=top)
    AccountFactory(name="Kessler Iberia", parent_account=account)
    gone = ContactFactory(last_name="Ortega", account=AccountFactory())
    ContactAccountFactory(contact=gone, account=account, job_title="CFO", ended_on=dt.date(2026, 3, 1))
    text = get(client, admin, "account_detail", account.pk, tab="contacts")
    assert "Former people" in text
    assert "Ortega" in text
    assert "1 Mar 2026" in text
    group = get(client, admin, "account_detail", account.pk, tab="group")
    assert "Kessler Holding" in group
    assert "Kessler Iberia" in group
