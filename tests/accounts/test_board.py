"""The board: who sees which cards, figures by one query, moves that are checked, two people on one card."""

import datetime as dt
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.choices import Vocabulary
from accounts.models import FieldHistory, Note, Opportunity, Pipeline, Stage
from accounts.queries.pipeline import flags_of, stage_path, stale_opportunities
from accounts.services.opportunities import ChangedMeanwhileError, move_stage
from tests import factories
from tests.segments.making import three_people

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline():
    return Pipeline.objects.get(is_default=True)


@pytest.fixture
def stages(pipeline):
    return {stage.slug.removeprefix("sales-"): stage for stage in pipeline.stages.all()}


@pytest.fixture
def reason():
    return factories.TermFactory(vocabulary=Vocabulary.LOST_REASON, name="Budget cut")


@pytest.fixture
def people():
    return three_people()


def move(client, deal, stage, **values):
    deal.refresh_from_db()
    data = {"stage": stage.slug, "version": deal.version, **values}
    return client.post(reverse("accounts:opportunity_move", args=[deal.pk]), data)


def test_each_sees_their_cards_and_sums(client, people, stages):
    alice, bob, charlie = people
    factories.OpportunityFactory(name="Own deal", owner=alice, stage=stages["proposal"], amount=1000)
    factories.OpportunityFactory(name="Foreign deal", owner=charlie, stage=stages["proposal"], amount=5000)
    for viewer, sees, sum_ in (
        (alice, {"Own deal"}, "$1K"),
        (bob, {"Own deal"}, "$1K"),
        (charlie, {"Foreign deal"}, "$5K"),
    ):
        client.force_login(viewer)
        response = client.get(reverse("accounts:board"))
        column = next(c for c in response.context["open_columns"] if c.stage == stages["proposal"])
        assert {card.deal.name for card in column.cards} == sees
        assert column.count == 1
        assert sum_ in response.content.decode()


def test_cards_do_not_cost_queries(client, stages, django_assert_max_num_queries):
    admin = factories.UserFactory()
    client.force_login(admin)

    def fill(count):
        for _ in range(count):
            deal = factories.OpportunityFactory(stage=stages["proposal"], owner=admin, amount=10)
            factories.OpportunityContactFactory(opportunity=deal)

    fill(2)
    client.get(reverse("accounts:board"))
    with django_assert_max_num_queries(30) as few:
        client.get(reverse("accounts:board"))
    fill(20)
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("accounts:board"))


def test_a_long_column_goes_on_by_key(client, stages):
    client.force_login(factories.UserFactory())
    day = dt.date(2030, 1, 1)
    for number in range(40):
        close = None if number % 7 == 0 else day + dt.timedelta(days=number % 5)
        factories.OpportunityFactory(
            name=f"Deal {number}", stage=stages["proposal"], expected_close=close, account=None
        )
    response = client.get(reverse("accounts:board"), {"search": "deal"})
    column = next(c for c in response.context["open_columns"] if c.stage == stages["proposal"])
    first = [card.deal.pk for card in column.cards]
    assert (len(first), column.count) == (12, 40)
    more = client.get(f"{reverse('accounts:board_column')}{column.more_url}&in={stages['proposal'].slug}")
    rest = [card.deal.pk for card in more.context["cards"]]
    assert len(rest) == 25
    last = client.get(f"{reverse('accounts:board_column')}{more.context['more_url']}&in={stages['proposal'].slug}")
    rest += [card.deal.pk for card in last.context["cards"]]
    assert len({*first, *rest}) == 40
    assert last.context["more_url"] == ""


def test_filters_are_those_of_the_list(client, people, stages):
    alice, _, _ = people
    client.force_login(alice)
    factories.OpportunityFactory(name="New one", owner=alice, stage=stages["proposal"], type="new_business")
    factories.OpportunityFactory(name="Renewal", owner=alice, stage=stages["proposal"], type="renewal")
    response = client.get(reverse("accounts:board"), {"type": "renewal", "owner": "me"})
    column = next(c for c in response.context["open_columns"] if c.stage == stages["proposal"])
    assert [card.deal.name for card in column.cards] == ["Renewal"]
    listed = client.get(f"{reverse('accounts:opportunity_list')}?{response.context['list_query']}").content.decode()
    assert "Renewal" in listed
    assert "New one" not in listed
    wrong = client.get(reverse("accounts:board"), {"type": "nonsense", "no_filter": "1"})
    assert wrong.status_code == 200
    assert len(wrong.context["errors"]) == 2
    assert all(not c.count for c in wrong.context["open_columns"])


def test_a_move_is_saved_dated_and_answered(client, people, stages):
    alice, _, _ = people
    deal = factories.OpportunityFactory(owner=alice, stage=stages["qualification"], amount=2500)
    client.force_login(alice)
    response = move(client, deal, stages["proposal"])
    assert response.status_code == 200
    deal.refresh_from_db()
    assert deal.stage == stages["proposal"]
    answer = response.json()
    assert answer["version"] == deal.version
    assert answer["heads"][stages["proposal"].slug] == {"count": "1", "amount": "$2.5K"}
    assert answer["heads"][stages["qualification"].slug]["count"] == "0"
    assert f'data-deal="{deal.pk}"' in answer["card"]
    history = FieldHistory.objects.filter(record_type="opportunity", record_id=deal.pk, field="stage")
    assert [row.value for row in history.order_by("valid_from", "pk")] == [
        stages["qualification"].slug,
        deal.stage.slug,
    ]
    assert [step.name for step in stage_path(deal)] == ["Qualification", "Proposal"]


def test_who_may_move(client, people, stages):
    alice, bob, charlie = people
    deal = factories.OpportunityFactory(owner=alice, stage=stages["qualification"])
    for viewer, status in ((charlie, 404), (bob, 200), (factories.UserFactory(role="viewer"), 403)):
        client.force_login(viewer)
        assert move(client, deal, stages["proposal"]).status_code == status


def test_the_second_of_two_is_told(client, people, stages):
    alice, bob, _ = people
    deal = factories.OpportunityFactory(owner=alice, stage=stages["qualification"])
    seen_by_both = deal.version
    client.force_login(bob)
    url = reverse("accounts:opportunity_move", args=[deal.pk])
    assert client.post(url, {"stage": stages["proposal"].slug, "version": seen_by_both}).status_code == 200
    client.force_login(alice)
    response = client.post(url, {"stage": stages["negotiation"].slug, "version": seen_by_both})
    assert response.status_code == 409
    answer = response.json()
    assert "Proposal" in answer["problem"]
    assert answer["stage"] == stages["proposal"].slug
    deal.refresh_from_db()
    assert deal.stage == stages["proposal"]


def test_a_stale_copy_is_refused_by_the_service(stages):
    deal = factories.OpportunityFactory(stage=stages["qualification"])
    other = Opportunity.objects.get(pk=deal.pk)
    move_stage(other, stages["proposal"], expected_version=other.version)
    with pytest.raises(ChangedMeanwhileError) as told:
        move_stage(deal, stages["negotiation"], expected_version=deal.version)
    assert told.value.current.stage == stages["proposal"]


def test_losing_wants_a_reason_and_keeps_what_was_heard(client, people, stages, reason):
    alice, _, _ = people
    deal = factories.OpportunityFactory(owner=alice, stage=stages["negotiation"], forecast_category="commit")
    objection = factories.TermFactory(vocabulary=Vocabulary.OBJECTION)
    rival = factories.TermFactory(vocabulary=Vocabulary.COMPETITOR)
    client.force_login(alice)
    refused = move(client, deal, stages["lost"])
    assert refused.status_code == 400
    assert "lost_reason" in refused.json()["errors"]
    deal.refresh_from_db()
    assert deal.stage == stages["negotiation"]
    day = timezone.localdate() - dt.timedelta(days=3)
    response = move(
        client,
        deal,
        stages["lost"],
        lost_reason=reason.pk,
        objections=[objection.pk],
        competitors=[rival.pk],
        note="They stay with what they have.",
        closed_on=day.isoformat(),
    )
    assert response.status_code == 200
    deal.refresh_from_db()
    assert (deal.lost_reason, deal.probability, deal.forecast_category) == (reason, Decimal(0), "omitted")
    assert deal.closed_at.date() == day
    held = {row.field: row.term for row in deal.values_multi.all()}
    assert held == {"objections": objection, "competitors": rival}
    assert Note.objects.get(opportunity=deal).text == "They stay with what they have."


def test_winning_sets_date_and_amount_and_makes_a_customer(client, people, stages):
    alice, _, _ = people
    deal = factories.OpportunityFactory(owner=alice, stage=stages["negotiation"])
    client.force_login(alice)
    response = move(client, deal, stages["won"], amount="12500.50", closed_on=timezone.localdate().isoformat())
    assert response.status_code == 200
    deal.refresh_from_db()
    assert (deal.amount, deal.probability, deal.forecast_category) == (Decimal("12500.5"), Decimal(1), "closed")
    assert deal.closed_at is not None
    deal.account.refresh_from_db()
    assert deal.account.account_type == "customer"
    future = (timezone.localdate() + dt.timedelta(days=2)).isoformat()
    wrong = move(client, deal, stages["won"], closed_on=future)
    assert wrong.status_code == 400
    assert "closed_on" in wrong.json()["errors"]


def test_reopening_clears_the_closing_and_says_what_it_was(client, people, stages, reason):
    alice, _, _ = people
    deal = factories.OpportunityFactory(owner=alice, stage=stages["negotiation"])
    move_stage(deal, stages["lost"], lost_reason=reason)
    client.force_login(alice)
    assert move(client, deal, stages["proposal"]).status_code == 200
    deal.refresh_from_db()
    assert (deal.closed_at, deal.lost_reason, deal.forecast_category) == (None, None, "pipeline")
    note = Note.objects.get(opportunity=deal)
    assert "Lost" in note.text
    assert "Budget cut" in note.text
    assert note.author == alice


def test_a_stage_of_another_pipeline_is_refused(client, stages):
    client.force_login(factories.UserFactory())
    deal = factories.OpportunityFactory(stage=stages["proposal"])
    response = move(client, deal, factories.StageFactory())
    assert response.status_code == 400
    assert "stage" in response.json()["errors"]


def test_hostile_input_is_refused_with_words(client, stages):
    client.force_login(factories.UserFactory())
    deal = factories.OpportunityFactory(stage=stages["proposal"])
    url = reverse("accounts:opportunity_move", args=[deal.pk])
    for data in ({}, {"stage": "\x00", "version": "x"}, {"stage": stages["won"].slug, "version": "9" * 30}):
        assert client.post(url, data).status_code in (400, 409)
    assert client.get(reverse("accounts:board"), {"pipeline": "gone", "cursor": "nonsense"}).status_code == 200
    assert client.get(reverse("accounts:board_column"), {"in": "gone"}).status_code == 404


def test_stale_deals(stages, pipeline):
    now = timezone.now()
    long_ago, lately = now - dt.timedelta(days=90), now - dt.timedelta(days=3)
    make = factories.OpportunityFactory
    silent = make(stage=stages["proposal"], stage_entered_at=long_ago)
    moved = make(stage=stages["proposal"], stage_entered_at=lately)
    planned = make(stage=stages["proposal"], stage_entered_at=long_ago, next_step_set_at=lately)
    met = make(stage=stages["proposal"], stage_entered_at=long_ago)
    factories.ActivityFactory(opportunity=met, contact=None, account=met.account, occurred_at=lately)
    engaged = make(stage=stages["proposal"], stage_entered_at=long_ago)
    role = factories.OpportunityContactFactory(opportunity=engaged)
    factories.ActivityFactory(contact=role.contact, occurred_at=lately, type="call")
    browsed = make(stage=stages["proposal"], stage_entered_at=long_ago)
    reader = factories.OpportunityContactFactory(opportunity=browsed).contact
    factories.ActivityFactory(contact=reader, occurred_at=lately, type="page_view")
    old_talk = make(stage=stages["proposal"], stage_entered_at=long_ago)
    factories.ActivityFactory(opportunity=old_talk, contact=None, account=old_talk.account, occurred_at=long_ago)
    make(stage=stages["won"], stage_entered_at=long_ago, closed_at=long_ago)
    assert set(stale_opportunities(Opportunity.objects.all())) == {silent, old_talk, browsed}
    assert moved.pk not in {d.pk for d in (silent, old_talk)}
    pipeline.stale_after_days = 2
    pipeline.save()
    everyone = {silent, old_talk, browsed, moved, planned, met, engaged}
    assert set(stale_opportunities(Opportunity.objects.all())) == everyone


def test_flags_are_the_filters_of_the_list(client, stages):
    admin = factories.UserFactory()
    client.force_login(admin)
    today = timezone.localdate()
    yesterday = today - dt.timedelta(days=1)
    contact = factories.ContactFactory()
    deals = {
        "overdue": factories.OpportunityFactory(stage=stages["proposal"], expected_close=yesterday, next_step="Call"),
        "without_next_step": factories.OpportunityFactory(stage=stages["proposal"], expected_close=today),
        "champion_left": factories.OpportunityFactory(
            stage=stages["proposal"], next_step="Call", champion_left=contact, champion_left_on=today
        ),
        "stale": factories.OpportunityFactory(
            stage=stages["proposal"], next_step="Call", stage_entered_at=timezone.now() - dt.timedelta(days=99)
        ),
    }
    closed = factories.OpportunityFactory(stage=stages["won"], expected_close=yesterday)
    flags = flags_of(Opportunity.objects.select_related("stage"))
    assert not flags[closed.pk]
    for name, deal in deals.items():
        attribute = "no_next_step" if name == "without_next_step" else name
        assert [pk for pk, found in flags.items() if getattr(found, attribute)] == [deal.pk], name
        for path in (reverse("accounts:opportunity_list"), reverse("accounts:board")):
            text = client.get(path, {name: "true"}).content.decode()
            assert deal.name in text
            assert not any(f">{other.name}<" in text for key, other in deals.items() if key != name), (name, path)


def test_a_pipeline_without_stages_says_what_to_do(client):
    client.force_login(factories.UserFactory())
    empty = factories.PipelineFactory()
    assert "no stages" in client.get(reverse("accounts:board"), {"pipeline": empty.slug}).content.decode()
    assert Stage.objects.filter(pipeline=empty).count() == 0
