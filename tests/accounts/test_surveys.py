"""A survey recorded by hand: answers and one activity, or nothing; and the pages of notes."""

import datetime as dt

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from accounts.models import Activity, Note, Provenance, SurveyAnswer
from accounts.services.surveys import Answered, record_survey
from segmentation_crm.common.models import Role
from tests.factories import (
    AccountFactory,
    ContactFactory,
    EvidenceFactory,
    NoteFactory,
    SurveyAnswerFactory,
    TeamFactory,
    UserFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin():
    return UserFactory()


def log_in(client, user):
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def sent(**values):
    return {
        "survey": "Yearly survey",
        "answered_on": timezone.localdate().isoformat(),
        "source_kind": "interview",
        "question": ["What matters?", "", "What is missing?"],
        "answer": ["Speed", "", "An app"],
        "nps": "9",
        **values,
    }


def test_a_survey_of_a_contact_becomes_answers_and_one_activity(client, admin):
    contact = ContactFactory(account=AccountFactory())
    url = reverse("accounts:contact_survey", args=[contact.pk])
    response = log_in(client, admin).post(url, sent())
    assert response.url == reverse("accounts:contact_detail", args=[contact.pk]) + "?tab=surveys"
    answers = SurveyAnswer.objects.order_by("pk")
    assert [(row.question, row.answer) for row in answers] == [
        ("What matters?", "Speed"),
        ("What is missing?", "An app"),
    ]
    assert {(row.contact_id, row.account_id, row.source_type) for row in answers} == {
        (contact.pk, contact.account_id, "primary")
    }
    assert answers[0].survey_folded == "yearly survey"
    activity = Activity.objects.get()
    assert (activity.type, activity.direction, activity.nps) == ("survey_response", "inbound", 9)
    assert (activity.subject, activity.contact, activity.user) == ("Yearly survey", contact, admin)
    assert set(Provenance.objects.values_list("kind", flat=True)) == {"interview"}
    page = client.get(reverse("accounts:contact_detail", args=[contact.pk]), {"tab": "surveys"}).content.decode()
    assert "An app" in page
    timeline = client.get(reverse("accounts:contact_timeline", args=[contact.pk])).content.decode()
    assert timeline.count("Survey response") == 1


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"answer": ["Speed", "lost", ""]}, "Row 2 needs both"),
        ({"question": [], "answer": [], "nps": ""}, "at least one question"),
        ({"survey": ""}, "required"),
        ({"nps": "11"}, "less than or equal to 10"),
        ({"answered_on": "soon"}, "valid date"),
        ({"source_kind": "gossip"}, "valid choice"),
        ({"question": ["x" * 501, "", ""]}, "too long"),
    ],
)
def test_what_is_wrong_is_named_nothing_is_kept_and_nothing_typed_is_lost(client, admin, values, words):
    contact = ContactFactory()
    text = log_in(client, admin).post(reverse("accounts:contact_survey", args=[contact.pk]), sent(**values))
    assert text.status_code == 200
    assert words in text.content.decode()
    if "answer" not in values:
        assert 'value="Speed"' in text.content.decode()
    assert not SurveyAnswer.objects.exists()
    assert not Activity.objects.exists()


def test_a_survey_that_lies_ahead_or_belongs_to_nobody_is_refused(admin):
    answers = [Answered("What?", "That")]
    with pytest.raises(ValidationError, match="lies ahead"):
        record_survey("S", answers, account=AccountFactory(), answered_at=timezone.now() + dt.timedelta(days=3))
    with pytest.raises(ValidationError, match="account, a contact"):
        record_survey("S", answers)


def test_all_or_nothing(admin, monkeypatch):
    def broken(*args, **kwargs):
        raise ValidationError({"type": "no"})

    monkeypatch.setattr("accounts.services.surveys.record_activity", broken)
    with pytest.raises(ValidationError):
        record_survey("S", [Answered("What?", "That")], account=AccountFactory())
    assert not SurveyAnswer.objects.exists()


def test_of_an_account_the_person_who_answered_can_be_named(client, admin):
    account = AccountFactory()
    contact, stranger = ContactFactory(account=account), ContactFactory(account=AccountFactory())
    url = reverse("accounts:account_survey", args=[account.pk])
    log_in(client, admin)
    assert "contact" in client.post(url, sent(contact=stranger.pk)).context["form"].errors
    client.post(url, sent(contact=contact.pk))
    assert Activity.objects.get().contact == contact


def test_known_surveys_and_their_questions_are_offered_of_what_one_sees(client):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    mine = AccountFactory(owner=alice)
    SurveyAnswerFactory(account=mine, survey="Onboarding", question="Who decides?")
    SurveyAnswerFactory(account=AccountFactory(), survey="Secret round", question="Secret question?")
    text = log_in(client, alice).get(reverse("accounts:account_survey", args=[mine.pk])).content.decode()
    assert "Onboarding" in text
    assert "Secret round" not in text
    url = reverse("accounts:survey_questions")
    assert "Who decides?" in client.get(url, {"survey": "onboarding"}).content.decode()
    assert "Secret question?" not in client.get(url, {"survey": "Secret round"}).content.decode()


def test_a_note_is_changed_taken_back_and_shown_again_by_its_author(client):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    account = AccountFactory(owner=alice)
    note = NoteFactory(account=account, author=alice, text="First words")
    EvidenceFactory(account=account, note=note, term__name="Price")
    log_in(client, alice)
    page = reverse("accounts:account_detail", args=[account.pk])
    edit = reverse("accounts:note_edit", args=[note.pk])
    text = client.post(edit, {"text": "  "}).content.decode()
    assert "Write something" in text
    client.post(edit, {"text": "Second words"})
    assert "Second words" in client.get(page, {"tab": "notes"}).content.decode()
    assert "Price" in client.get(page, {"whole": "1"}).content.decode()
    client.post(reverse("accounts:note_remove", args=[note.pk]))
    overview = client.get(page, {"whole": "1"}).content.decode()
    assert "Second words" not in overview
    assert "Price" not in overview
    assert "Show again" in client.get(page, {"tab": "notes"}).content.decode()
    client.post(reverse("accounts:note_restore", args=[note.pk]))
    assert "Second words" in client.get(page, {"whole": "1"}).content.decode()


def test_nobody_changes_the_note_of_another(client, admin):
    alice = UserFactory(role=Role.SALES_REP, team=TeamFactory())
    note = NoteFactory(account=AccountFactory(owner=alice), author=alice, text="Hers")
    for user, status in ((admin, 403), (UserFactory(role=Role.SALES_REP, team=TeamFactory()), 404)):
        log_in(client, user)
        assert client.post(reverse("accounts:note_edit", args=[note.pk]), {"text": "His"}).status_code == status
        assert client.post(reverse("accounts:note_remove", args=[note.pk])).status_code == status
    assert Note.objects.get().text == "Hers"
