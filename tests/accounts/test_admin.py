"""The Django admin: every page opens, sees what the user sees, and merges, renames and deletes through services."""

import pytest
from django.apps import apps
from django.contrib import admin
from django.urls import reverse

from accounts.models import Account, Term
from accounts.queries import resolve_term
from accounts.services.vocabularies import add_term
from segmentation_crm.common.models import Role
from tests import factories

pytestmark = pytest.mark.django_db
# Lines of templates are seen where they belong; what triggers leave for the next refresh is seen by nobody.
INLINE_ONLY = {"RoleTemplateRole", "ChangeRow", "CaptureVersion"}
MODELS = [
    model
    for model in apps.get_app_config("accounts").get_models()
    if not model._meta.auto_created and not model.__name__.startswith("Import") and model.__name__ not in INLINE_ONLY
]


@pytest.fixture
def boss(client):
    """A client logged in as an admin."""
    client.force_login(factories.UserFactory(role=Role.ADMIN))
    return client


def page(model, name, *args):
    return reverse(f"admin:accounts_{model._meta.model_name}_{name}", args=args)


def factory_of(model):
    return getattr(factories, f"{model.__name__}Factory")


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_list_search_and_change_pages_open(boss, model):
    row = factory_of(model)()
    assert boss.get(page(model, "changelist")).status_code == 200
    assert boss.get(page(model, "changelist"), {"q": "Größe"}).status_code == 200
    assert boss.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_no_page_offers_a_menu_of_all_records(model):
    """References are searched as one types, full counts are off."""
    registered = admin.site._registry[model]
    assert registered.show_full_result_count is False
    references = {
        f.name
        for f in model._meta.get_fields()
        if getattr(f, "editable", False) and f.concrete and (f.many_to_one or f.many_to_many)
    }
    read_only = not registered.has_change_permission(None) if "ReadOnly" in str(type(registered).__mro__) else False
    assert read_only or references <= set(registered.autocomplete_fields)


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.ADMIN])
def test_only_admins_get_in(client, role):
    client.force_login(factories.UserFactory(role=role))
    assert client.get(page(Account, "changelist")).status_code == 302


def test_deleting_is_soft(boss):
    account = factories.AccountFactory()
    factories.ActivityFactory(contact=None, account=account)
    assert boss.post(page(Account, "delete", account.pk), {"post": "yes"}).status_code == 302
    account.refresh_from_db()
    assert account.deleted_at is not None
    assert boss.get(page(Account, "change", account.pk)).status_code == 302


def test_terms_are_merged_from_the_list(boss):
    into, gone = add_term("tag", "Into"), add_term("tag", "Gone")
    data = {"action": "merge_selected", "into": "into", "_selected_action": [gone.pk]}
    answer = boss.post(page(Term, "changelist"), data, follow=True)
    assert "Gone is now Into" in answer.content.decode()
    assert resolve_term("tag", "gone") == into


def test_a_merge_without_target_says_what_to_do(boss):
    term = add_term("tag", "Gone")
    data = {"action": "merge_selected", "into": "nothing", "_selected_action": [term.pk]}
    assert "Name the entry" in boss.post(page(Term, "changelist"), data, follow=True).content.decode()


def test_renaming_and_moving_a_term_goes_through_the_services(boss):
    parent, term = add_term("need", "Above"), add_term("need", "Old")
    data = {"name": "New", "parent": parent.pk, "position": 1, "is_active": "on", "need": ""}
    answer = boss.post(page(Term, "change", term.pk), data)
    assert answer.status_code == 302, answer.context["errors"]
    term.refresh_from_db()
    assert (term.name, term.slug, term.path) == ("New", "old", f"/{parent.pk}/{term.pk}/")
    assert resolve_term("need", "old") == term


def test_a_circle_of_terms_is_refused_in_the_form(boss):
    term = add_term("need", "One")
    below = add_term("need", "Two", parent=term)
    answer = boss.post(page(Term, "change", term.pk), {"name": "One", "parent": below.pk, "position": 1, "need": ""})
    assert "circle" in answer.content.decode()


def test_a_list_takes_a_fixed_number_of_queries(boss, django_assert_max_num_queries):
    for _ in range(15):
        factories.OpportunityFactory(owner=factories.UserFactory())
    with django_assert_max_num_queries(15):
        boss.get(page(factories.OpportunityFactory._meta.model, "changelist"))
