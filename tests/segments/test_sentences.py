"""A merge or a new name of a word keeps segments, sentences and imports right."""

import pytest

from accounts.choices import Vocabulary
from accounts.queries import resolve_term
from accounts.services.vocabularies import add_term, merge_terms, rename_term
from segmentation_crm.common.models import Job, Role
from segments.services.rebuilding import rebuild_segment
from segments.services.saving import create_segment
from tests.factories import AccountFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def saved():
    """A segment over one industry, with an account in it and one in another."""
    retail, shops = add_term(Vocabulary.INDUSTRY, "Retail"), add_term(Vocabulary.INDUSTRY, "Shops")
    accounts = AccountFactory(industry=retail), AccountFactory(industry=shops)
    rule = {"combinator": "and", "rules": [{"field": "account.industry", "operator": "eq", "value": "shops"}]}
    segment, _ = create_segment(UserFactory(role=Role.ADMIN), name="Shops", member_type="account", rules=rule)
    rebuild_segment(segment.pk)
    Job.objects.all().delete()
    return retail, shops, accounts, segment


def members(segment) -> set[int]:
    return set(segment.memberships.values_list("account_id", flat=True))


def test_a_renamed_term_shows_in_the_sentence_and_the_members_stay(saved):
    _, shops, accounts, segment = saved
    assert "Shops" in segment.sentence
    rename_term(shops, "Corner shops")
    segment.refresh_from_db()
    assert "Corner shops" in segment.sentence
    rebuild_segment(segment.pk)
    assert members(segment) == {accounts[1].pk}


def test_a_merge_keeps_segment_sentence_and_import_right(saved):
    retail, shops, accounts, segment = saved
    merge_terms(shops, retail)
    segment.refresh_from_db()
    assert "Retail" in segment.sentence
    assert "Shops" not in segment.sentence
    assert Job.objects.filter(kind="segment.rebuild_all").count() == 1
    rebuild_segment(segment.pk)
    assert members(segment) == {a.pk for a in accounts}
    assert resolve_term(Vocabulary.INDUSTRY, "shops") == retail
