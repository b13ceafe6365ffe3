"""The demo data: loaded once, valid, removed again to the last record."""

import pytest

from accounts.models import Account, Activity, Contact, Opportunity, Product
from segmentation_crm import demo
from segmentation_crm.common.models import Role, User
from segmentation_crm.demo.segments import demo_segments
from segments.services.rebuilding import rebuild_segment
from tests.factories import AccountFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def loaded():
    User.objects.create(username="admin", role=Role.ADMIN)
    assert demo.load()


def test_the_demo_loads_once_and_its_segments_have_members(loaded):
    assert not demo.load()
    assert Account.objects.filter(source=demo.SOURCE).count() == 240
    assert Contact.objects.count() > 500
    reps = User.objects.filter(external_source=demo.SOURCE)
    assert reps.count() == 3
    assert not any(rep.has_usable_password() for rep in reps)
    assert Account.objects.filter(owner__in=reps).count() > 150
    assert Opportunity.objects.filter(stage__is_won=True).exists()
    assert Activity.objects.count() > 3000
    segments = demo_segments()
    assert len(segments) == 3
    for segment in segments:
        rebuild_segment(segment.pk)
        segment.refresh_from_db()
        assert 0 < segment.member_count < 200


def test_every_demo_record_is_valid(loaded):
    for model in (Account, Contact, Opportunity):
        for record in model.objects.filter(source=demo.SOURCE)[:60]:
            record.full_clean()


def test_remove_deletes_exactly_the_demo_records(loaded):
    mine = AccountFactory(name="Ours", source="manual")
    assert demo.remove() > 4000
    assert list(Account.objects.all()) == [mine]
    for model in (Contact, Opportunity, Activity, Product):
        assert not model.objects.filter(source=demo.SOURCE).exists()
    assert demo_segments() == []
    assert [user.username for user in User.objects.exclude(username__startswith="user")] == ["admin"]
    assert demo.load()


def test_a_demo_rep_with_records_of_ones_own_stays_deactivated(loaded):
    rep = User.objects.filter(external_source=demo.SOURCE).first()
    mine = AccountFactory(owner=rep)
    demo.remove()
    rep.refresh_from_db()
    mine.refresh_from_db()
    assert not rep.is_active
    assert mine.owner == rep
