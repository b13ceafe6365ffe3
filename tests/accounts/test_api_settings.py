"""Role templates, teams and territories over the API: written as the pages do, by who may."""

import pytest

from accounts.models import RoleTemplate
from segmentation_crm.common.access import visibility
from segmentation_crm.common.models import AuditEntry, Role, Team, Territory
from tests.factories import AccountFactory, RoleTemplateFactory, TeamFactory, TermFactory, TerritoryFactory, UserFactory
from tests.support.api import caller

pytestmark = pytest.mark.django_db
TEMPLATES, TEAMS, TERRITORIES = (f"/api/v1/{name}/" for name in ("role_templates", "teams", "territories"))


@pytest.fixture
def admin():
    return UserFactory()


def test_a_role_template_is_made_changed_and_made_the_default(admin):
    api = caller(admin)
    before = RoleTemplate.objects.filter(is_default=True).first()
    lines = [{"role": "champion", "minimum": 2, "weight": "3.00"}, {"role_group": "financial"}]
    answer = api.post(TEMPLATES, {"name": "Large deals", "roles": lines}, format="json")
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made["roles"][0] == {"role": "champion", "role_group": "", "minimum": 2, "weight": "3.00"}
    one = f"{TEMPLATES}{made['id']}/"
    assert api.patch(one, {"is_default": True}, format="json").json() == {**made, "is_default": True}
    if before is not None:
        before.refresh_from_db()
        assert not before.is_default
    assert api.patch(one, {"is_default": False}, format="json").status_code == 400
    assert api.delete(one).status_code == 400
    changed = api.patch(one, {"roles": [{"role": "blocker"}]}, format="json")
    assert [line["role"] for line in changed.json()["roles"]] == ["blocker"]
    other = RoleTemplateFactory(is_default=False)
    assert api.delete(f"{TEMPLATES}{other.pk}/").status_code == 204


@pytest.mark.parametrize(
    "roles",
    [
        [],
        [{}],
        [{"role": "champion"}, {"role": "champion"}],
        [{"role": "nobody"}],
        [{"role": "champion", "minimum": 0}],
    ],
)
def test_a_wrong_role_template_is_refused_with_words(admin, roles):
    answer = caller(admin).post(TEMPLATES, {"name": "Wrong", "roles": roles}, format="json")
    assert answer.status_code == 400
    assert not RoleTemplate.objects.filter(name="Wrong").exists()


def test_a_team_with_members_who_move_and_may_not_go_while_they_are_in_it(admin):
    api, person = caller(admin), UserFactory(team=TeamFactory())
    made = api.post(TEAMS, {"name": "North", "members": [person.pk]}, format="json").json()
    person.refresh_from_db()
    assert person.team_id == made["id"]
    one = f"{TEAMS}{made['id']}/"
    assert api.delete(one).status_code == 400
    assert api.patch(one, {"name": "Far north"}, format="json").json()["members"] == [person.pk]
    assert api.patch(one, {"members": []}, format="json").json()["members"] == []
    assert api.delete(one).status_code == 204
    assert api.post(TEAMS, {"name": Team.objects.get().name}, format="json").status_code == 400
    assert AuditEntry.objects.filter(actor=admin).exists()


def test_a_territory_gives_sight_and_takes_it_away(admin):
    api, rep = caller(admin), UserFactory(role=Role.SALES_REP)
    TermFactory(vocabulary="sales_region", name="Nordics", slug="nordics")
    AccountFactory(country="SE")
    body = {
        "name": "North",
        "countries": ["SE", "NO", "SE"],
        "region_slugs": ["nordics"],
        "users": [rep.pk],
        "teams": [],
    }
    answer = api.post(TERRITORIES, body, format="json")
    assert answer.status_code == 201, answer.json()
    made = answer.json()
    assert made["countries"] == ["NO", "SE"]
    assert visibility(rep).countries == {"NO", "SE"}
    one = f"{TERRITORIES}{made['id']}/"
    assert api.patch(one, {"countries": [], "region_slugs": []}, format="json").status_code == 400
    assert api.patch(one, {"region_slugs": ["atlantis"]}, format="json").status_code == 400
    assert api.patch(one, {"countries": ["XX"]}, format="json").status_code == 400
    assert api.delete(one).status_code == 204
    assert not Territory.objects.exists()


def test_three_people_and_the_settings(admin):
    manager, rep = UserFactory(role=Role.SALES_MANAGER, team=TeamFactory()), UserFactory(role=Role.SALES_REP)
    territory = TerritoryFactory(countries=["DE"])
    template = {"name": "T", "roles": [{"role": "champion"}]}
    for user, reads, keeps, manages in ((admin, 200, 201, 201), (manager, 403, 201, 403), (rep, 403, 403, 403)):
        api = caller(user)
        assert api.get(f"{TERRITORIES}{territory.pk}/").status_code == reads
        assert api.post(TEMPLATES, {**template, "name": user.username}, format="json").status_code == keeps
        assert api.post(TEAMS, {"name": f"Team of {user.username}"}, format="json").status_code == manages
        assert api.get(TEAMS).status_code == 200
    assert caller(admin, scopes=("read",)).post(TEAMS, {"name": "x"}, format="json").status_code == 403
