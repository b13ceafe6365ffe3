"""Channels and topics with consent: of each topic and channel the latest word holds."""

from datetime import timedelta

import pytest
from django.utils import timezone

from segments.rules.evaluate import member_queryset
from segments.rules.validate import validate
from tests import factories
from tests.segments.raw_rules import condition, group

pytestmark = pytest.mark.django_db


def test_only_consents_that_stand_count():
    now, day = timezone.now(), timedelta(days=1)
    withdrawn, again, undated, by_topic = (factories.ContactFactory(first_name=n) for n in "abcd")
    consent = factories.ConsentFactory
    consent(contact=withdrawn, channel="email", at=now - 3 * day)
    consent(contact=withdrawn, channel="email", at=now - 2 * day, status="withdrawn")
    consent(contact=again, channel="email", at=now - 3 * day, status="withdrawn")
    consent(contact=again, channel="email", at=now - 2 * day)
    consent(contact=undated, channel="email", at=None)
    consent(contact=undated, channel="email", at=now - 9 * day, status="denied")
    news = factories.TermFactory(vocabulary="consent_topic", slug="news")
    consent(contact=by_topic, channel="email", at=now - 3 * day, topic=news)
    consent(contact=by_topic, channel="email", at=now - 2 * day, status="withdrawn")

    def who(*rule):
        found = member_queryset(validate(group(condition(*rule)), "contact"), now)
        return sorted(contact.first_name for contact in found)

    assert who("contact.consented_channels", "any_of", ["email"]) == ["b", "d"]
    assert who("contact.consented_topics", "any_of", ["news"]) == ["d"]
    assert who("contact.consented_channels", "is_empty") == ["a", "c"]
