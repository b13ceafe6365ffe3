"""The settings area: who gets in, the organisation without overwriting, teams, invitations, tokens, roles."""

import pytest
from django.test import Client
from django.urls import reverse

from segmentation_crm.common.access import CAPABILITIES, CAPABILITY_WORDS, SIGHT_WORDS
from segmentation_crm.common.models import ApiToken, AuditEntry, Job, Organisation, Role, Team, User
from segmentation_crm.common.services.tokens import create_token
from tests import factories as make
from tests.page_matrix import PAGES
from tests.support.api import caller
from tests.test_page_permissions import settings_world

pytestmark = pytest.mark.django_db
GOOD = {
    "version": 1,
    "name": "Kessler Group",
    "time_zone": "Europe/Berlin",
    "currency": "EUR",
    "fiscal_year_start_month": 4,
    "micro": 9,
    "small": 49,
    "mid_market": 499,
    "purchase_active_days": 400,
}


def client_of(role: str) -> Client:
    client = Client()
    client.force_login(make.UserFactory(role=role))
    return client


@pytest.fixture
def admin():
    return client_of(Role.ADMIN)


def address(name: str, args: dict) -> str:
    return reverse(name, args=args.get(name, []))


def test_three_people_get_the_pages_their_role_keeps_and_no_others():
    args = settings_world()
    people = {role: client_of(role) for role in (Role.ADMIN, Role.SALES_MANAGER, Role.SALES_REP)}
    wrong = []
    pages = {name: page for name, page in PAGES.items() if name.split(":")[-1].startswith("settings")}
    assert len(pages) > 40
    for name, page in pages.items():
        for role, client in people.items():
            found = client.get(address(name, args)).status_code
            right = page.granted if role in page.roles else page.refused
            if found != right:
                wrong.append(f"{role} {name}: {found}, not {right}")
    assert wrong == []


def labels(client: Client) -> set[str]:
    """Return the names of the pages that the area's home offers."""
    groups = client.get(reverse("settings")).context["found_groups"]
    return {page["label"] for group in groups for page in group["pages"]}


def test_the_menu_holds_what_the_role_may_open(admin):
    everything, kept = labels(admin), labels(client_of(Role.MARKETING_MANAGER))
    for label in ("Exchange rates", "API tokens", "Audit log", "Territories"):
        assert label in everything
        assert label not in kept
    assert "Vocabularies" in everything
    assert "Vocabularies" in kept


def test_a_setting_is_found_by_other_words(admin):
    found = admin.get(reverse("settings"), {"q": "gmail"}).context["found_groups"]
    assert [page["label"] for group in found for page in group["pages"]] == ["Free-mail list"]
    assert "No setting fits" in admin.get(reverse("settings"), {"q": "zzz"}).content.decode()


def test_the_organisation_is_changed_audited_and_amounts_are_computed_anew(admin):
    Organisation.current()
    answer = admin.post(reverse("settings_organisation"), GOOD, follow=True)
    organisation = Organisation.current()
    assert (organisation.name, organisation.currency, organisation.version) == ("Kessler Group", "EUR", 2)
    assert organisation.size_limits == {"micro": 9, "small": 49, "mid_market": 499}
    job = Job.objects.get(kind="settings.recompute")
    assert reverse("jobs:detail", args=[job.public_id]) in answer.content.decode()
    entry = AuditEntry.objects.get(action="organisation.changed")
    changes = {change["field"]: (change["old"], change["new"]) for change in entry.details["changes"]}
    assert changes["currency"] == ("USD", "EUR")
    assert changes["fiscal_year_start_month"] == (1, 4)
    assert "version" not in changes


def test_a_name_alone_starts_no_job(admin):
    Organisation.current()
    form = {
        "version": 1, "name": "Only the name", "time_zone": "UTC", "currency": "USD", "fiscal_year_start_month": 1,
        "micro": 10, "small": 50, "mid_market": 1000, "purchase_active_days": 365,
    }  # fmt: skip
    admin.post(reverse("settings_organisation"), form)
    assert Organisation.current().name == "Only the name"
    assert not Job.objects.exists()


def test_two_admins_do_not_overwrite_each_other(admin):
    Organisation.current().save()  # version 2: somebody was faster
    answer = admin.post(reverse("settings_organisation"), GOOD)
    assert answer.status_code == 200
    assert "Somebody changed the settings" in answer.content.decode()
    assert 'value="Kessler Group"' in answer.content.decode()
    assert Organisation.current().name != "Kessler Group"
    assert 'name="version" value="2"' in answer.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"small": 9}, "small"),
        ({"mid_market": 10}, "mid_market"),
        ({"micro": 0}, "micro"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"currency": "XYZ9"}, "currency"),
        ({"fiscal_year_start_month": 13}, "fiscal_year_start_month"),
        ({"purchase_active_days": 0}, "purchase_active_days"),
        ({"name": ""}, "name"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_saved(admin, changes, field):
    Organisation.current()
    answer = admin.post(reverse("settings_organisation"), {**GOOD, **changes})
    assert answer.status_code == 200
    assert field in answer.context["form"].errors
    assert Organisation.current().version == 1


def test_the_organisation_over_the_api():
    Organisation.current()
    admin, rep = caller(make.UserFactory()), caller(make.UserFactory(role=Role.SALES_REP))
    path = "/api/v1/organisation/"
    assert rep.get(path).json()["currency"] == "USD"
    assert rep.patch(path, {"name": "Mine"}, format="json").status_code == 403
    limits = {"micro": 5, "small": 4, "mid_market": 100}
    refused = admin.patch(path, {"size_limits": limits}, format="json").json()["errors"]
    assert [error["field"] for error in refused] == ["size_limits"]
    stale = admin.patch(path, {"name": "Late"}, format="json", headers={"If-Match": '"99"'})
    assert stale.status_code == 412
    assert admin.patch(path, {"currency": "EUR"}, format="json").json()["currency"] == "EUR"
    assert Job.objects.filter(kind="settings.recompute").exists()
    entry = AuditEntry.objects.get(action="organisation.changed")
    assert entry.details["changes"] == [{"field": "currency", "old": "USD", "new": "EUR"}]
    assert entry.details["via"] == "api"


def test_a_team_gets_its_members_and_is_deleted_only_when_empty(admin):
    ann, bob = make.UserFactory(role=Role.SALES_REP), make.UserFactory(role=Role.SALES_REP, team=make.TeamFactory())
    admin.post(reverse("settings_team_new"), {"name": "North", "members": [ann.pk, bob.pk]})
    team = Team.objects.get(name="North")
    assert set(team.members.all()) == {ann, bob}
    page = admin.post(reverse("settings_team_delete", args=[team.pk]))
    assert "cannot be deleted while it is used" in page.content.decode()
    admin.post(reverse("settings_team", args=[team.pk]), {"name": "North", "members": []})
    assert admin.post(reverse("settings_team_delete", args=[team.pk])).status_code == 302
    assert not Team.objects.filter(name="North").exists()
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == ["team.created", "user.changed", "user.changed", "user.changed", "user.changed", "team.deleted"]


def test_an_invitation_works_once_and_is_shown_once(admin):
    form = {"username": "new", "email": "new@our-company.example", "role": "sales_rep"}
    page = admin.post(reverse("user_new"), form)
    link = page.context["link"]
    assert link in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    user = User.objects.get(username="new")
    assert link not in admin.get(reverse("user_edit", args=[user.pk])).content.decode()
    visitor = Client()
    path = visitor.get(link.replace("http://testserver", "")).url
    secret = "a-Quite-long-first-passw0rd"
    assert visitor.post(path, {"password1": secret, "password2": secret}).status_code == 302
    user.refresh_from_db()
    assert user.check_password(secret)
    again = Client().get(link.replace("http://testserver", ""))
    assert again.status_code == 200
    assert "password1" not in again.content.decode()
    assert AuditEntry.objects.filter(action="user.created", object_id=str(user.pk)).exists()


def test_who_has_logged_in_gets_no_new_invitation(admin):
    user = make.UserFactory()
    Client().force_login(user)
    assert admin.post(reverse("user_invite", args=[user.pk])).status_code == 404


def test_an_admin_ends_anybodys_token(admin):
    rep = make.UserFactory(role=Role.SALES_REP)
    token, _ = create_token(rep, name="Sync", scopes=["read"])
    assert "Sync" in admin.get(reverse("settings_tokens")).content.decode()
    path = reverse("settings_token_revoke", args=[token.token_key])
    assert client_of(Role.SALES_MANAGER).post(path).status_code == 403
    assert admin.post(path).status_code == 302
    assert not ApiToken.objects.exists()
    assert AuditEntry.objects.filter(action="token.revoked").exists()


def test_every_capability_and_role_has_words():
    assert set(CAPABILITY_WORDS) == set(CAPABILITIES)
    assert set(SIGHT_WORDS) == set(Role.values)


def test_lists_take_a_fixed_number_of_queries(admin, django_assert_max_num_queries):
    for _ in range(30):
        create_token(make.UserFactory(team=make.TeamFactory()), name="Sync", scopes=["read"])
    for name in ("settings_tokens", "settings_teams", "user_list", "settings_audit", "settings_roles", "settings"):
        with django_assert_max_num_queries(9):
            assert admin.get(reverse(name)).status_code == 200
