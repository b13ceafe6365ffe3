"""The page of a deal edited in place: lines, people, next step, what was said; forms and API ask why one was lost."""

import datetime as dt
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from accounts.choices import BuyingRole, Vocabulary
from accounts.models import (
    Account,
    ContactAccount,
    Note,
    OpportunityContact,
    OpportunityLine,
    OpportunityValue,
    Pipeline,
    RoleTemplate,
    Term,
)
from accounts.services.opportunities import finish_next_step, move_stage, set_next_step
from tests import factories
from tests.segments.making import three_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return three_people()


@pytest.fixture
def stages():
    return {s.slug.removeprefix("sales-"): s for s in Pipeline.objects.get(is_default=True).stages.all()}


@pytest.fixture
def deal(people, stages):
    account = factories.AccountFactory(name="Kessler", owner=people[0])
    return factories.OpportunityFactory(account=account, owner=people[0], stage=stages["proposal"], name="Rollout")


def url(name, deal, *more):
    return reverse(f"accounts:{name}", args=[deal.pk, *more])


ACTS = [
    ("opportunity_next_step", {"next_step": "Call"}),
    ("opportunity_said", {}),
    ("deal_line_new", {"product_text": "Service", "quantity": "1"}),
    ("deal_amount_from_lines", {}),
    ("deal_person_new", {}),
]


@pytest.mark.parametrize(("name", "data"), ACTS)
def test_who_may_edit_in_place(client, people, deal, name, data):
    alice, bob, charlie = people
    for viewer, allowed in (
        (alice, {200, 422}),
        (bob, {200, 422}),
        (charlie, {404}),
        (factories.UserFactory(role="viewer"), {403}),
    ):
        client.force_login(viewer)
        assert client.post(url(name, deal), data).status_code in allowed


def test_a_line_is_added_changed_removed_and_brought_back(client, people, deal):
    client.force_login(people[0])
    product = factories.ProductFactory(name="Licence")
    added = client.post(
        url("deal_line_new", deal),
        {"product": product.pk, "quantity": "10", "unit_price": "99.50", "discount_pct": "20"},
    )
    assert added.status_code == 200
    line = OpportunityLine.objects.get(opportunity=deal)
    assert (line.amount, line.discount) == (Decimal("796"), Decimal("0.2"))
    client.post(url("deal_line", deal, line.pk), {"product": product.pk, "quantity": "20", "unit_price": "99.50"})
    line.refresh_from_db()
    assert (line.amount, line.discount) == (Decimal("1990"), None)
    removed = client.post(url("deal_line_remove", deal, line.pk))
    assert not OpportunityLine.objects.exists()
    assert "Removed: 20" in removed.content.decode()
    client.post(url("deal_line_new", deal), removed.context["removed_line"]["values"])
    back = OpportunityLine.objects.get(opportunity=deal)
    assert (back.product, back.quantity, back.amount) == (product, Decimal(20), Decimal("1990"))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({}, "product"),
        ({"product": "999999"}, "product"),
        ({"product_text": "x", "quantity": "-1"}, "quantity"),
        ({"product_text": "x", "quantity": "abc"}, "quantity"),
        ({"product_text": "x", "unit_price": "1e400"}, "unit_price"),
        ({"product_text": "x", "discount_pct": "120"}, "discount_pct"),
    ],
)
def test_a_wrong_line_says_what_is_wrong_and_keeps_what_was_typed(client, people, deal, data, field):
    client.force_login(people[0])
    response = client.post(url("deal_line_new", deal), data)
    assert response.status_code == 422
    assert field in response.context["new_line_form"].errors
    assert not OpportunityLine.objects.exists()
    for typed in data.values():
        if typed != "999999":
            assert typed in response.content.decode()


def test_lines_of_another_deal_are_not_touched(client, people, deal):
    client.force_login(people[0])
    foreign = factories.OpportunityLineFactory(opportunity__owner=people[2])
    own = factories.OpportunityLineFactory(opportunity=factories.OpportunityFactory(owner=people[0]))
    for line in (foreign, own):
        assert client.post(url("deal_line_remove", deal, line.pk)).status_code == 404
        assert client.post(url("deal_line", deal, line.pk), {"product_text": "x"}).status_code == 404
    assert OpportunityLine.objects.count() == 2


def test_the_amount_follows_the_lines_when_asked(client, people, deal):
    client.force_login(people[0])
    assert client.post(url("deal_amount_from_lines", deal)).status_code == 422
    for price in (100, 250):
        factories.OpportunityLineFactory(opportunity=deal, unit_price=price, quantity=2)
    response = client.post(url("deal_amount_from_lines", deal))
    assert response.status_code == 200
    deal.refresh_from_db()
    assert deal.amount == Decimal(700)
    assert not response.context["differs"]


def test_people_are_added_changed_removed_and_brought_back(client, people, deal):
    client.force_login(people[0])
    contact = factories.ContactFactory(account=deal.account, first_name="Anna")
    stranger = factories.ContactFactory(account=factories.AccountFactory(owner=people[2]))
    refused = client.post(url("deal_person_new", deal), {"contact": stranger.pk, "role": "champion"})
    assert refused.status_code == 422
    assert not OpportunityContact.objects.exists()
    data = {"contact": contact.pk, "role": "champion", "stance": "supporter", "influence": "4"}
    assert client.post(url("deal_person_new", deal), data).status_code == 200
    row = OpportunityContact.objects.get()
    assert (row.role, row.stance, row.influence) == ("champion", "supporter", 4)
    assert client.post(url("deal_person_new", deal), data).status_code == 422
    wrong = client.post(url("deal_person", deal, row.pk), {"role": "champion", "influence": "6"})
    assert wrong.status_code == 422
    client.post(url("deal_person", deal, row.pk), {"role": "end_user", "stance": "sceptic", "influence": ""})
    row.refresh_from_db()
    assert (row.role, row.stance, row.influence) == ("end_user", "sceptic", None)
    removed = client.post(url("deal_person_remove", deal, row.pk))
    assert "Anna" in removed.context["removed_person"]["words"]
    client.post(url("deal_person_new", deal), removed.context["removed_person"]["values"])
    assert OpportunityContact.objects.get().role == "end_user"


def test_the_committee_is_compared_with_the_template_of_the_pipeline(client, people, deal):
    client.force_login(people[0])
    template = RoleTemplate.objects.create(name="Ours", pipeline=deal.pipeline)
    for role, group, minimum, weight in (
        (BuyingRole.CHAMPION, "", 1, 2),
        ("", "executive", 1, 1),
        ("", "technical", 2, 1),
    ):
        factories.RoleTemplateRoleFactory(
            template=template, role=role, role_group=group, minimum=minimum, weight=weight
        )
    for role in (BuyingRole.CHAMPION, BuyingRole.TECHNICAL_DECISION_MAKER):
        factories.OpportunityContactFactory(opportunity=deal, role=role)
    committee = client.get(url("opportunity_people", deal)).context["committee"]
    assert committee.template == "Ours"
    assert committee.completeness == Decimal("2.5") / 4
    champion = OpportunityContact.objects.get(role="champion").contact
    ContactAccount.objects.filter(contact=champion).update(ended_on=dt.date(2026, 1, 1))
    context = client.get(url("opportunity_people", deal)).context
    assert context["committee"].completeness == Decimal("0.5") / 4
    assert not context["has_champion"]


def test_the_next_step_is_set_done_and_asked_for_again(client, people, deal):
    client.force_login(people[0])
    response = client.post(
        url("opportunity_next_step", deal), {"next_step": " Send  offer ", "next_step_due": "2026-12-01"}
    )
    assert response.status_code == 200
    deal.refresh_from_db()
    assert (deal.next_step, deal.next_step_due) == ("Send offer", dt.date(2026, 12, 1))
    assert deal.next_step_set_at is not None
    done = client.post(url("opportunity_next_step", deal), {"done": "1", "next_step": "Send offer"})
    assert "What comes next?" in done.content.decode()
    deal.refresh_from_db()
    assert (deal.next_step, deal.next_step_due) == ("", None)
    assert Note.objects.get(opportunity=deal).text == "Done: Send offer"
    wrong = client.post(url("opportunity_next_step", deal), {"next_step": "x", "next_step_due": "soon"})
    assert wrong.status_code == 422
    with pytest.raises(ValidationError):
        set_next_step(deal, "x" * 501, None)
    assert finish_next_step(deal) == ""


def test_objections_and_competitors_are_chips(client, people, deal):
    client.force_login(people[0])
    objection = factories.TermFactory(vocabulary=Vocabulary.OBJECTION, name="Too dear")
    rival = factories.TermFactory(vocabulary=Vocabulary.COMPETITOR, name="Rival Inc")
    client.post(url("opportunity_said", deal), {"objections": [objection.pk], "competitors": [rival.pk]})
    text = client.get(url("opportunity_detail", deal)).content.decode()
    assert "Too dear" in text
    assert "Rival Inc" in text
    assert client.post(url("opportunity_said", deal), {"objections": [rival.pk]}).status_code == 422


def test_a_new_objection_is_typed_by_who_keeps_vocabularies_and_refused_from_others(client, people, deal):
    known = factories.TermFactory(vocabulary="objection", name="Too dear")
    rows = OpportunityValue.objects.filter(opportunity=deal, field="objections")
    sent = {"objections": [known.pk, "new:No  interface", "new:too DEAR"], "competitors": ["new:Globex"]}
    client.force_login(people[0])
    page = client.get(url("opportunity_around", deal)).content.decode()
    assert "data-create" not in page.split('id="deal-said"')[1].split("</form>")[0]
    refused = client.post(url("opportunity_said", deal), sent)
    assert refused.status_code == 422
    assert "“No interface” is not in the list" in refused.content.decode()
    assert 'value="new:No  interface"' in refused.content.decode()  # what was typed is still there
    assert not Term.objects.filter(name="No interface").exists()
    client.force_login(people[1])
    assert client.get(url("opportunity_around", deal)).content.decode().count("data-create") >= 2
    assert client.post(url("opportunity_said", deal), sent).status_code == 200
    assert {row.term.name for row in rows} == {"Too dear", "No interface"}
    assert Term.objects.get(vocabulary="competitor", name="Globex")
    client.post(url("opportunity_said", deal), {"objections": ["new:" + "x" * 201, "new:"]})
    assert {row.term.name for row in rows} == {"Too dear", "No interface"}


def test_the_form_asks_why_a_deal_is_lost(client, people, deal, stages):
    client.force_login(people[0])
    page = client.get(url("opportunity_edit", deal))
    form = page.context["form"]
    data = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    refused = client.post(url("opportunity_edit", deal), {**data, "stage": stages["lost"].pk})
    assert refused.status_code == 200
    assert "lost_reason" in refused.context["form"].errors
    reason = factories.TermFactory(vocabulary=Vocabulary.LOST_REASON)
    client.post(url("opportunity_edit", deal), {**data, "stage": stages["lost"].pk, "lost_reason": reason.pk})
    deal.refresh_from_db()
    assert (deal.stage, deal.lost_reason, deal.forecast_category) == (stages["lost"], reason, "omitted")


def test_the_api_asks_why_a_deal_is_lost(client, people, deal, stages):
    client.force_login(people[0])

    def patch(**data):
        return client.patch(f"/api/v1/opportunities/{deal.pk}/", data, content_type="application/json")

    refused = patch(stage=stages["lost"].slug)
    assert refused.status_code == 400, refused.content
    assert "lost_reason" in refused.content.decode()
    reason = factories.TermFactory(vocabulary=Vocabulary.LOST_REASON)
    assert patch(stage=stages["lost"].slug, lost_reason=reason.slug).status_code == 200
    assert patch(lost_reason=None).status_code == 400
    assert patch(name="Other name").status_code == 200
    assert patch(stage=stages["proposal"].slug).status_code == 200
    deal.refresh_from_db()
    assert (deal.lost_reason, deal.closed_at) == (None, None)


def test_history_may_have_no_reason(stages):
    deal = factories.OpportunityFactory(stage=stages["lost"])
    deal.name = "Still without reason"
    deal.save()
    other = factories.OpportunityFactory(stage=stages["proposal"])
    with pytest.raises(ValidationError) as error:
        move_stage(other, stages["lost"])
    assert set(error.value.message_dict) == {"lost_reason"}
    move_stage(other, stages["lost"], without_reason=True)
    other.refresh_from_db()
    assert other.stage == stages["lost"]


def test_chances_follow_the_stage_unless_given(stages):
    stages["proposal"].probability = Decimal("0.4")
    stages["proposal"].save()
    deal = factories.OpportunityFactory(stage=stages["qualification"], forecast_category="commit")
    move_stage(deal, stages["proposal"])
    assert (deal.probability, deal.forecast_category) == (Decimal("0.4"), "commit")
    move_stage(deal, stages["negotiation"], probability=Decimal("0.9"))
    assert deal.probability == Decimal("0.9")
    move_stage(deal, stages["won"])
    assert (deal.probability, deal.forecast_category) == (Decimal(1), "closed")


def test_customer_and_lifecycle_follow_won_and_lost(stages):
    def fresh():
        deal = factories.OpportunityFactory(stage=stages["qualification"])
        role = factories.OpportunityContactFactory(opportunity=deal)
        return deal, role.contact

    won, buyer = fresh()
    lost, other = fresh()
    move_stage(won, stages["won"])
    move_stage(lost, stages["lost"], without_reason=True)
    for contact, stage in ((buyer, "customer"), (other, "opportunity")):
        contact.refresh_from_db()
        assert contact.lifecycle_stage == stage
    types = {deal: Account.objects.get(pk=deal.account_id).account_type for deal in (won, lost)}
    assert types == {won: "customer", lost: "prospect"}
    move_stage(won, stages["proposal"])
    buyer.refresh_from_db()
    assert buyer.lifecycle_stage == "customer"  # once reached, a stage is never taken back


def test_the_page_costs_a_fixed_number_of_queries(client, people, deal, django_assert_max_num_queries):
    client.force_login(people[0])

    def fill(count):
        for _ in range(count):
            factories.OpportunityLineFactory(opportunity=deal)
            factories.OpportunityContactFactory(opportunity=deal)
            factories.ActivityFactory(opportunity=deal, account=deal.account)

    fill(1)
    names = {"detail": 22, "timeline": 16, "around": 12, "lines": 9, "people": 11}
    found = {}
    for name, most in names.items():
        client.get(url(f"opportunity_{name}", deal))
        with django_assert_max_num_queries(most) as few:
            assert client.get(url(f"opportunity_{name}", deal)).status_code == 200
        found[name] = len(few)
    fill(6)
    for name, most in found.items():
        with django_assert_max_num_queries(most):
            client.get(url(f"opportunity_{name}", deal))


def test_a_champion_one_may_not_see_is_not_named(client, people, deal):
    gone = factories.ContactFactory(
        account=factories.AccountFactory(owner=people[2]), owner=people[2], first_name="Secret", last_name="Person"
    )
    deal.champion_left, deal.champion_left_on = gone, dt.date(2026, 5, 1)
    deal.save()
    for viewer, sees in ((people[0], False), (factories.UserFactory(), True)):
        client.force_login(viewer)
        text = client.get(url("opportunity_detail", deal)).content.decode()
        assert "Champion left" in text
        assert ("Secret Person" in text) is sees


def test_tasks_and_notes_of_a_deal_have_tabs(client, people, deal):
    client.force_login(people[0])
    factories.TaskFactory(account=None, opportunity=deal, owner=people[0], title="Call the lawyer")
    factories.NoteFactory(account=None, opportunity=deal, text="They like the pilot")
    factories.NoteFactory(account=deal.account, text="Of the account")
    page = client.get(url("opportunity_detail", deal)).content.decode()
    assert "?tab=tasks" in page
    assert "?tab=notes" in page
    assert "Call the lawyer" in client.get(url("opportunity_detail", deal), {"tab": "tasks"}).content.decode()
    notes = client.get(url("opportunity_detail", deal), {"tab": "notes"}).content.decode()
    assert "They like the pilot" in notes
    assert "Of the account" not in notes
