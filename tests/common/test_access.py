"""The policy: what each role may do and what part of the records it sees."""

import pytest
from django.contrib.auth.models import AnonymousUser

from segmentation_crm.common.access import CAPABILITIES, Visibility, can, visibility
from segmentation_crm.common.models import Role, Team, Territory, User

pytestmark = pytest.mark.django_db


def make_user(name: str, role: str, team: Team | None = None) -> User:
    return User.objects.create(username=name, role=role, team=team)


@pytest.fixture
def north():
    return Team.objects.create(name="North")


@pytest.fixture
def alice(north):
    """A rep of the team North."""
    return make_user("alice", Role.SALES_REP, north)


@pytest.fixture
def bob(north):
    """The sales manager of the team North."""
    return make_user("bob", Role.SALES_MANAGER, north)


@pytest.fixture
def charlie():
    """A rep without team."""
    return make_user("charlie", Role.SALES_REP)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MARKETING_MANAGER, Role.ANALYST, Role.VIEWER, Role.INTEGRATION])
def test_these_roles_see_everything(role):
    assert visibility(make_user("u", role)).everything


def test_a_rep_sees_own_records_and_territories(alice, north, charlie):
    nordics = Territory.objects.create(name="Nordics", countries=["SE", "NO"], region_slugs=["nordics"])
    nordics.users.add(alice)
    baltics = Territory.objects.create(name="Baltics", countries=["EE"])
    baltics.teams.add(north)
    assert visibility(alice) == Visibility(
        owner_ids=frozenset({alice.pk}),
        countries=frozenset({"SE", "NO", "EE"}),
        region_slugs=frozenset({"nordics"}),
    )
    assert visibility(charlie) == Visibility(owner_ids=frozenset({charlie.pk}))


def test_a_sales_manager_sees_what_the_members_of_the_team_see(bob, alice, charlie):
    nordics = Territory.objects.create(name="Nordics", countries=["SE"])
    nordics.users.add(alice)
    seen = visibility(bob)
    assert seen.owner_ids == {bob.pk, alice.pk}
    assert seen.countries == {"SE"}
    assert seen.unowned
    assert charlie.pk not in seen.owner_ids


def test_anonymous_and_deactivated_users_see_nothing(alice):
    assert visibility(AnonymousUser()).nothing
    alice.is_active = False
    assert visibility(alice).nothing
    assert not can(alice, "records.write")


def test_visibility_costs_at_most_two_queries(bob, alice, django_assert_max_num_queries):
    with django_assert_max_num_queries(2):
        visibility(bob)


@pytest.mark.parametrize("capability", sorted(CAPABILITIES))
def test_viewers_and_analysts_never_write(capability):
    for role in (Role.VIEWER, Role.ANALYST):
        if capability.endswith((".write", ".delete", ".import")):
            assert role not in CAPABILITIES[capability]
    assert Role.VIEWER not in CAPABILITIES["records.export"]


def test_an_undeclared_capability_is_an_error_not_an_open_door(alice):
    with pytest.raises(KeyError):
        can(alice, "records.wirte")


def test_role_and_admin_flags_go_together():
    user = make_user("root", Role.ADMIN)
    assert user.is_staff
    assert user.is_superuser
    user.role = Role.VIEWER
    user.is_superuser = False
    user.save()
    assert not user.is_staff
    superuser = User.objects.create_superuser("boss", "boss@example.com", "a-long-enough-password")
    assert superuser.role == Role.ADMIN
