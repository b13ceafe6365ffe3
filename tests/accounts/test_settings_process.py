"""Settings of selling and money: pipelines and stages, role templates, territories, rates, the free-mail list."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from accounts.models import ExchangeRate, Pipeline, RoleTemplate, Stage
from accounts.services.free_mail import domains_of
from accounts.services.normalisation import DEFAULT_FREE_MAIL, free_mail_domains
from accounts.services.rates import rates_of
from accounts.views.settings_people import accounts_in
from segmentation_crm.common import jobs
from segmentation_crm.common.models import AuditEntry, Job, Organisation, Role, Territory
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    client = Client()
    client.force_login(make.UserFactory(role=Role.ADMIN))
    return client


def at(name: str, *args) -> str:
    return reverse(f"accounts:settings_{name}", args=args)


def text_of(response) -> str:
    return response.content.decode()


# --- pipelines and stages ---
def names(pipeline: Pipeline) -> list[str]:
    return list(pipeline.stages.order_by("position").values_list("name", flat=True))


@pytest.fixture
def pipeline():
    found = make.PipelineFactory(name="Partners")
    for position, name in enumerate(("First", "Second", "Third"), start=1):
        make.StageFactory(pipeline=found, name=name, slug=f"p-{name.lower()}", position=position)
    return found


def test_a_pipeline_is_added_and_made_the_default(admin):
    assert (
        admin.post(at("pipeline_new"), {"name": "Partners", "stale_after_days": 14, "is_default": "on"}).status_code
        == 302
    )
    made = Pipeline.objects.get(is_default=True)
    assert (made.name, made.stale_after_days) == ("Partners", 14)
    page = admin.post(at("pipeline_new"), {"name": "PARTNERS", "stale_after_days": 14})
    assert "merge the two instead" in text_of(page)


def test_a_stage_gets_its_chance_in_percent_and_its_outcome(admin, pipeline):
    form = {"name": "Signed", "outcome": "won", "probability": "100", "is_active": "on"}
    assert admin.post(at("stage_new", pipeline.pk), form).status_code == 302
    stage = Stage.objects.get(name="Signed")
    assert (stage.is_won, stage.is_lost, stage.probability) == (True, False, Decimal(1))
    assert names(pipeline)[-1] == "Signed"
    assert 'value="100"' in text_of(admin.get(at("stage", stage.pk)))
    page = admin.post(at("stage", stage.pk), form | {"probability": "101"})
    assert "probability" in page.context["form"].errors


def test_stages_are_put_into_order_by_button_and_by_drag(admin, pipeline):
    first, second, third = pipeline.stages.order_by("position")
    admin.post(at("stage_order", pipeline.pk), {"move": f"{third.pk}:up"})
    assert names(pipeline) == ["First", "Third", "Second"]
    admin.post(at("stage_order", pipeline.pk), {"order": f"{second.pk},{first.pk},{third.pk}"})
    assert names(pipeline) == ["Second", "First", "Third"]
    entry = AuditEntry.objects.filter(action="pipeline.changed").first()
    assert entry.details["changes"][0]["new"] == "Second, First, Third"


@pytest.mark.parametrize("body", [{"move": "x:up"}, {"move": "1:sideways"}, {"order": "1;2"}, {"order": "999999"}, {}])
def test_an_order_that_cannot_be_read_changes_nothing(admin, pipeline, body):
    assert admin.post(at("stage_order", pipeline.pk), body).status_code == 302
    assert names(pipeline) == ["First", "Second", "Third"]


def test_a_stage_with_deals_is_not_deleted_and_says_how_many(admin, pipeline):
    stage = pipeline.stages.get(name="First")
    make.OpportunityFactory(stage=stage, pipeline=pipeline)
    page = text_of(admin.post(at("stage_delete", stage.pk)))
    assert "cannot be deleted while it is used" in page
    assert f"{reverse('accounts:opportunity_list')}?stage={stage.slug}" in page
    assert Stage.objects.filter(pk=stage.pk).exists()
    won = {"name": "First", "outcome": "won", "probability": "", "is_active": "on"}
    assert "1 deals are in this stage" in text_of(admin.post(at("stage", stage.pk), won))
    assert admin.post(at("stage_delete", pipeline.stages.get(name="Third").pk)).status_code == 302
    assert names(pipeline) == ["First", "Second"]


def test_stages_merge_with_their_deals(admin, pipeline):
    gone, into = pipeline.stages.get(name="First"), pipeline.stages.get(name="Second")
    deal = make.OpportunityFactory(stage=gone, pipeline=pipeline)
    page = admin.get(at("stage_merge", gone.pk), {"into": into.pk})
    assert [(use.label, use.count) for use in page.context["uses"]] == [("Deals", 1)]
    assert admin.post(at("stage_merge", gone.pk), {"into": into.pk}).status_code == 302
    deal.refresh_from_db()
    assert deal.stage == into


def test_an_open_stage_does_not_merge_into_a_won_one(admin, pipeline):
    won = make.StageFactory(pipeline=pipeline, name="Won", is_won=True)
    page = admin.post(at("stage_merge", pipeline.stages.get(name="First").pk), {"into": won.pk})
    assert "Both stages must be open" in text_of(page)


def test_the_default_pipeline_is_not_deleted(admin):
    default = make.PipelineFactory(is_default=not Pipeline.objects.filter(is_default=True).exists())
    default = Pipeline.objects.get(is_default=True) if not default.is_default else default
    default.stages.all().delete()
    admin.post(at("pipeline_delete", default.pk))
    assert Pipeline.objects.filter(pk=default.pk).exists()
    other = make.PipelineFactory()
    assert admin.post(at("pipeline_delete", other.pk)).status_code == 302
    assert not Pipeline.objects.filter(pk=other.pk).exists()


# --- role templates ---
def lines(*rows: tuple) -> dict:
    form = {"lines-TOTAL_FORMS": len(rows), "lines-INITIAL_FORMS": 0}
    for number, (needed, minimum, weight) in enumerate(rows):
        form |= {f"lines-{number}-needed": needed, f"lines-{number}-minimum": minimum, f"lines-{number}-weight": weight}
    return form


def test_a_role_template_is_saved_with_its_lines_and_becomes_the_default(admin):
    form = {
        "name": "Enterprise",
        "is_default": "on",
        **lines(("role:champion", 2, "1.5"), ("group:financial", 1, 1), ("", "", "")),
    }
    assert admin.post(at("role_template_new"), form).status_code == 302
    template = RoleTemplate.objects.get(is_default=True)
    assert template.name == "Enterprise"
    assert set(template.roles.values_list("role", "role_group", "minimum", "weight")) == {
        ("champion", "", 2, Decimal("1.50")),
        ("", "financial", 1, Decimal("1.00")),
    }
    form = {"name": "Enterprise", "is_default": "on", **lines(("group:financial", 3, 1))}
    admin.post(at("role_template", template.pk), form)
    assert list(template.roles.values_list("role_group", "minimum")) == [("financial", 3)]
    admin.post(at("role_template_delete", template.pk))
    assert RoleTemplate.objects.filter(pk=template.pk).exists()


@pytest.mark.parametrize(
    "rows", [[("", "", "")], [("role:champion", 1, 1), ("role:champion", 2, 1)], [("role:king", 1, 1)]]
)
def test_wrong_lines_are_refused_with_what_was_typed(admin, rows):
    page = admin.post(at("role_template_new"), {"name": "Mine", **lines(*rows)})
    assert page.status_code == 200
    assert 'value="Mine"' in text_of(page)
    assert not RoleTemplate.objects.filter(name="Mine").exists()


# --- territories ---
def test_a_territory_counts_before_it_is_saved_and_gives_sight(admin):
    region = make.TermFactory(vocabulary="sales_region", name="North", slug="north")
    below = make.TermFactory(vocabulary="sales_region", name="Coast", slug="coast", parent=region)
    rep = make.UserFactory(role=Role.SALES_REP)
    inside = make.AccountFactory(name="Werft", sales_region=below)
    make.AccountFactory(country="FR")
    make.AccountFactory(country="US")
    form = {"name": "Mine", "regions": [region.pk], "countries": ["FR"], "users": [rep.pk]}
    page = admin.post(at("territory_new"), form | {"preview": "1"})
    assert page.context["counted"] == 2
    assert not Territory.objects.exists()
    assert admin.post(at("territory_new"), form).status_code == 302
    territory = Territory.objects.get()
    assert (territory.region_slugs, territory.countries) == (["north"], ["FR"])
    client = Client()
    client.force_login(rep)
    assert client.get(reverse("accounts:account_detail", args=[inside.pk])).status_code == 200
    assert admin.get(at("territory", territory.pk)).context["counted"] == 2
    admin.post(at("territory_delete", territory.pk))
    assert client.get(reverse("accounts:account_detail", args=[inside.pk])).status_code == 404


def test_a_territory_without_place_is_refused(admin):
    page = admin.post(at("territory_new"), {"name": "Nowhere"})
    assert "countries" in page.context["form"].errors
    assert accounts_in([], []) == 0


# --- exchange rates ---
def test_a_rate_is_added_and_amounts_follow_as_a_job(admin):
    deal = make.OpportunityFactory(amount=100, amount_currency="EUR", opened_on=dt.date(2026, 1, 10))
    form = {"base": "eur", "quote": "usd", "on_date": "2026-01-01", "rate": "1.25"}
    assert admin.post(at("rate_new"), form).status_code == 302
    assert ExchangeRate.objects.get().base == "EUR"
    job = Job.objects.get(kind="settings.recompute")
    assert jobs.run(job.pk) == "done"
    deal.refresh_from_db()
    assert deal.amount_reporting == Decimal(125)
    page = admin.post(at("rate_new"), form)
    assert page.context["form"].errors
    admin.post(at("rate_delete", ExchangeRate.objects.get().pk))
    jobs.run(Job.objects.get(kind="settings.recompute", state="queued").pk)
    deal.refresh_from_db()
    assert deal.amount_reporting is None


def test_pasted_rates_are_all_saved_or_none(admin):
    wrong = "EUR,USD,2026-01-01,1.1\nEUR,XXQ,2026-01-02,1\nGBP,USD,soon,1\nGBP,USD,2026-01-01,-1\nEUR,EUR,2026-01-01,1"
    page = admin.post(at("rates_paste"), {"lines": wrong})
    errors = " ".join(page.context["form"].errors["lines"])
    assert all(f"Line {number}:" in errors for number in (2, 3, 4, 5))
    assert "Line 1:" not in errors
    assert wrong.splitlines()[0] in text_of(page)
    assert not ExchangeRate.objects.exists()
    good = "from;to;day;rate\nEUR;USD;2026-01-01;1,1\nEUR;USD;2026-02-01;1.2"
    answer = admin.post(at("rates_paste"), {"lines": good}, follow=True)
    assert "2 rates added" in text_of(answer)
    answer = admin.post(
        at("rates_paste"), {"lines": "EUR\tUSD\t2026-01-01\t1.1\nEUR\tUSD\t2026-02-01\t1.3"}, follow=True
    )
    assert "0 rates added, 1 replaced, 1 were there" in text_of(answer)
    assert AuditEntry.objects.filter(action="exchange_rate.changed").count() == 1


@pytest.mark.parametrize(
    "text", ["", "\n \n", "EUR,USD", "EUR,USD,2026-01-01,NaN", "EUR,USD,2026-01-01,1e400", "a,b,c,d,e"]
)
def test_odd_pastes_are_refused_with_words(text):
    with pytest.raises(ValidationError) as raised:
        rates_of(text)
    assert list(raised.value.message_dict) == ["lines"]


def test_size_limits_are_followed_by_the_job(admin):
    account = make.AccountFactory(employee_count=40)
    organisation = Organisation.current()
    form = {
        "version": organisation.version, "name": "Us", "time_zone": "UTC", "currency": "USD", "micro": 45, "small": 50,
        "mid_market": 60, "fiscal_year_start_month": 1, "purchase_active_days": 365,
    }  # fmt: skip
    assert admin.post(reverse("settings_organisation"), form).status_code == 302
    assert jobs.run(Job.objects.get(kind="settings.recompute").pk) == "done"
    account.refresh_from_db()
    assert account.size_class == "micro"


# --- the free-mail list ---
def test_the_free_mail_list_is_normalised_saved_and_matched_anew(admin):
    version = Organisation.current().version
    text = "GMail.com\n@Bücher.example, *.web.de"
    assert admin.post(at("free_mail"), {"domains": text, "version": version}).status_code == 302
    assert free_mail_domains() == {"gmail.com", "xn--bcher-kva.example", "web.de"}
    assert Job.objects.filter(kind="contacts.match").exists()
    entry = AuditEntry.objects.get(action="organisation.changed")
    assert entry.details["changes"][0]["field"] == "free_mail_domains"
    assert admin.post(at("free_mail_reset")).status_code == 302
    assert free_mail_domains() == set(DEFAULT_FREE_MAIL)


def test_wrong_or_stale_free_mail_lists_are_refused(admin):
    organisation = Organisation.current()
    page = admin.post(at("free_mail"), {"domains": "gmail.com\nnot a domain!", "version": organisation.version})
    assert "domain!" in " ".join(page.context["form"].errors["domains"])
    assert "not a domain!" in text_of(page)
    organisation.save()
    page = admin.post(at("free_mail"), {"domains": "gmail.com", "version": 1})
    assert "Somebody changed the settings" in text_of(page)
    assert Organisation.current().free_mail_domains == []
    with pytest.raises(ValidationError):
        domains_of(" \n ")


def test_a_manager_keeps_no_money_and_no_territories():
    client = Client()
    client.force_login(make.UserFactory(role=Role.SALES_MANAGER))
    for name in ("rate_new", "rates_paste", "free_mail", "territory_new"):
        assert client.post(at(name), {"name": "x", "domains": "gmail.com"}).status_code == 403
    assert client.post(at("free_mail_reset")).status_code == 403
