"""Settings of words and fields: vocabularies, catalogues, custom fields; merging, deleting, who uses what."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AccountValue, CustomField, Product, Term, Vendor
from accounts.queries import resolve_catalogue, resolve_term
from accounts.services.custom_fields import create_custom_field, set_custom_values
from accounts.services.multi_values import set_multi_values
from accounts.services.uses import uses_of, uses_of_field
from accounts.services.vocabularies import add_term
from segmentation_crm.common.fields import registry
from segmentation_crm.common.models import AuditEntry, Role, SavedView
from tests import factories as make
from tests.segments.making import all_of, saved

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager():
    """A marketing manager's browser: keeps words, not settings."""
    client = Client()
    client.force_login(make.UserFactory(role=Role.MARKETING_MANAGER))
    return client


def at(name: str, *args) -> str:
    return reverse(f"accounts:settings_{name}", args=args)


def text_of(response) -> str:
    return response.content.decode()


# --- vocabularies ---
def test_a_word_is_added_below_another_renamed_moved_and_found_by_its_old_name(manager):
    above, elsewhere = add_term("need", "Growth"), add_term("need", "Safety")
    form = {"name": "Hire faster", "parent": above.pk, "aliases": "recruiting\nHiring", "is_active": "on"}
    assert manager.post(at("term_new", "need"), form).status_code == 302
    term = Term.objects.get(name="Hire faster")
    assert term.path == f"/{above.pk}/{term.pk}/"
    assert resolve_term("need", "RECRUITING") == term
    form |= {"name": "Hire people", "parent": elsewhere.pk, "aliases": "recruiting"}
    assert manager.post(at("term", term.pk), form).status_code == 302
    term.refresh_from_db()
    assert (term.name, term.slug, term.parent) == ("Hire people", "hire-faster", elsewhere)
    assert resolve_term("need", "Hire faster") == term
    assert resolve_term("need", "hiring") is None
    told = AuditEntry.objects.filter(action="term.changed", object_id=str(term.pk))
    fields = {change["field"] for entry in told for change in entry.details["changes"]}
    assert {"name", "parent"} <= fields


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "Taken"}, "name"),
        ({"aliases": "taken"}, "aliases"),
        ({"parent": 10**9}, "parent"),
    ],
)
def test_a_wrong_word_is_refused_and_nothing_typed_is_lost(manager, change, field):
    add_term("need", "Taken")
    form = {"name": "Mine", "aliases": "my own", "parent": "", "is_active": "on"} | change
    page = manager.post(at("term_new", "need"), form)
    assert page.status_code == 200
    assert field in page.context["form"].errors
    assert page.context["form"].data["aliases"] == form["aliases"]
    assert not Term.objects.filter(name="Mine").exists()


def test_a_word_cannot_move_below_itself(manager):
    top = add_term("need", "Top")
    below = add_term("need", "Below", parent=top)
    form = {"name": "Top", "parent": below.pk, "aliases": "", "is_active": "on"}
    assert "parent" in manager.post(at("term", top.pk), form).context["form"].errors


def test_a_large_vocabulary_is_shown_a_level_and_a_page_at_a_time(manager, django_assert_max_num_queries):
    top = add_term("industry", "Everything")
    rows = [
        Term(vocabulary="industry", slug=f"i{n}", name=f"I {n:04}", name_folded=f"i {n:04}", parent=top)
        for n in range(1200)
    ]
    Term.objects.bulk_create(rows)
    for term in Term.objects.filter(parent=top):
        term.path = f"{top.path}{term.pk}/"
    with django_assert_max_num_queries(12) as queries:
        page = manager.get(at("vocabulary", "industry"))
    assert [term.name for term in page.context["page"].rows] == ["Everything"]
    assert not [q for q in queries.captured_queries if "COUNT(" in q["sql"].upper() and "accounts_term" in q["sql"]]
    address, seen = f"{at('vocabulary', 'industry')}?under={top.pk}", 0
    for _ in range(20):
        page = manager.get(address)
        seen += len(page.context["page"].rows)
        if not page.context["page"].next_url:
            break
        address = at("vocabulary", "industry") + page.context["page"].next_url
    assert seen == 1200
    found = manager.get(at("vocabulary", "industry"), {"q": "I 0777"}).context["page"].rows
    assert [term.name for term in found] == ["I 0777"]


def test_a_merge_says_first_what_it_touches(manager):
    gone, into = add_term("tag", "Vip"), add_term("tag", "VIP customer")
    account = make.AccountFactory()
    set_multi_values(account, "tags", [gone])
    segment = saved(all_of({"field": "account.tags", "operator": "any_of", "value": ["vip"]}), "Very important")
    page = manager.get(at("term_merge", gone.pk), {"into": into.pk})
    assert [(use.label, use.count) for use in page.context["uses"]][-1] == ("Segment “Very important”", None)
    assert page.context["uses"][0].count == 1
    assert Term.objects.filter(pk=gone.pk).exists()
    answer = manager.post(at("term_merge", gone.pk), {"into": into.pk}, follow=True)
    assert "is now “VIP customer”" in text_of(answer)
    assert AccountValue.objects.get(account=account).term == into
    assert resolve_term("tag", "vip") == into
    assert segment.get_absolute_url() in text_of(page)
    assert AuditEntry.objects.get(action="term.merged").details["gone"] == "Vip"


@pytest.mark.parametrize("into", ["", "self", "other vocabulary", "999999999"])
def test_a_merge_into_nothing_sensible_changes_nothing(manager, into):
    gone, other = add_term("tag", "Gone"), add_term("topic", "Other")
    target = {"self": gone.pk, "other vocabulary": other.pk}.get(into, into)
    assert manager.post(at("term_merge", gone.pk), {"into": target}).status_code == 200
    assert Term.objects.filter(pk=gone.pk).exists()


def test_a_used_word_is_not_deleted_and_an_unused_one_is(manager):
    used, free = add_term("tag", "Used"), add_term("tag", "Free")
    set_multi_values(make.AccountFactory(), "tags", [used])
    page = manager.post(at("term_delete", used.pk))
    assert "cannot be deleted while it is used" in text_of(page)
    assert Term.objects.filter(pk=used.pk).exists()
    assert manager.post(at("term_delete", free.pk)).status_code == 302
    assert not Term.objects.filter(pk=free.pk).exists()


def test_a_word_named_only_by_a_rule_is_not_deleted(manager):
    term = add_term("tag", "Watched")
    saved(all_of({"field": "account.tags", "operator": "any_of", "value": ["watched"]}))
    manager.post(at("term_delete", term.pk))
    assert Term.objects.filter(pk=term.pk).exists()


def test_rules_about_other_words_of_the_same_number_do_not_count():
    term, other = add_term("tag", "One"), add_term("tag", "Two")
    saved(all_of({"field": "account.tags", "operator": "any_of", "value": ["two"]}))
    assert uses_of(term) == []
    assert [use.label for use in uses_of(other)] == ["Segment “Large accounts”"]


def test_unknown_vocabularies_and_words_are_404(manager):
    for address in (at("vocabulary", "nothing"), at("term_new", "nothing"), at("term", 10**9)):
        assert manager.get(address).status_code == 404
    assert manager.get(at("vocabulary", "industry"), {"under": "x"}).status_code == 404


def test_the_picker_finds_words_and_entries(manager):
    add_term("tag", "Größe")
    make.VendorFactory(name="Acme")
    options = manager.get(reverse("accounts:options", args=["term-tag"]), {"q": "GRÖSS"}).json()["results"]
    assert [option["text"] for option in options] == ["Größe"]
    options = manager.get(reverse("accounts:options", args=["entry-vendor"]), {"q": "acm"}).json()["results"]
    assert [option["text"] for option in options] == ["Acme"]
    assert manager.get(reverse("accounts:options", args=["entry-nothing"])).status_code == 404


def test_an_installation_starts_with_buying_triggers():
    slugs = set(Term.objects.filter(vocabulary="trigger").values_list("slug", flat=True))
    assert {"funding-round", "new-executive", "contract-ends"} <= slugs


# --- catalogues ---
def test_a_product_is_added_renamed_merged_and_deleted(manager):
    form = {"name": "Sensor", "sku": "S-1", "list_price": "12.50", "list_price_currency": "eur", "is_active": "on"}
    assert manager.post(at("entry_new", "product"), form).status_code == 302
    product = Product.objects.get(name="Sensor")
    assert (product.list_price_currency, product.slug) == ("EUR", "sensor")
    manager.post(at("entry", "product", product.pk), form | {"name": "Sensor Pro"})
    assert resolve_catalogue("product", "sensor").name == "Sensor Pro"
    into = make.ProductFactory(name="Sensor Max")
    purchase = make.PurchaseFactory(product=product)
    page = manager.get(at("entry_merge", "product", product.pk), {"into": into.pk})
    assert page.context["uses"][0].count == 1
    assert manager.post(at("entry_merge", "product", product.pk), {"into": into.pk}).status_code == 302
    purchase.refresh_from_db()
    assert purchase.product == into
    assert "cannot be deleted" in text_of(manager.post(at("entry_delete", "product", into.pk)))
    free = make.VendorFactory()
    assert manager.post(at("entry_delete", "vendor", free.pk)).status_code == 302
    assert not Vendor.objects.filter(pk=free.pk).exists()


@pytest.mark.parametrize("kind", ["product", "technology_product", "vendor", "persona"])
def test_each_catalogue_lists_adds_and_refuses_a_taken_name(manager, kind):
    assert manager.post(at("entry_new", kind), {"name": "The same"}).status_code == 302
    assert "The same" in text_of(manager.get(at("catalogue", kind)))
    page = manager.post(at("entry_new", kind), {"name": "the SAME"})
    assert "merge the two instead" in text_of(page)
    assert "the SAME" in text_of(page)
    assert manager.get(at("catalogue", kind), {"q": "SAM"}).context["page"].rows
    assert manager.get(at("entry_merge", kind, 10**9)).status_code == 404


def test_unknown_catalogues_are_404(manager):
    assert manager.get(at("catalogue", "pipeline")).status_code == 404
    assert manager.get(at("entry_new", "nothing")).status_code == 404


# --- custom fields ---
def test_a_new_field_is_at_once_in_forms_and_rules(manager):
    form = {"record": "account", "label": "Diving depth (m)", "type": "enum", "choices": "d10 | 10 m\nd50", "help": ""}
    assert manager.post(at("field_new"), form).status_code == 302
    field = CustomField.objects.get()
    assert field.key == "diving_depth_m"
    assert field.choices == [{"value": "d10", "label": "10 m"}, {"value": "d50", "label": "d50"}]
    assert "account.custom.diving_depth_m" in {one.key for one in registry.custom_fields()}
    assert "Diving depth (m)" in text_of(manager.get(reverse("accounts:account_new")))
    fields = manager.get("/api/v1/segments/fields/", {"member_type": "account"}).content.decode()
    assert "account.custom.diving_depth_m" in fields
    assert AuditEntry.objects.filter(action="custom_field.created").exists()


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"label": ""}, "label"),
        ({"key": "1st"}, "key"),
        ({"key": "depth"}, None),
        ({"type": "enum", "choices": ""}, "choices"),
        ({"type": "text", "choices": "a"}, "choices"),
        ({"type": "enum", "choices": "a\na"}, "choices"),
        ({"type": "colour"}, "type"),
        ({"record": "task"}, "record"),
    ],
)
def test_a_wrong_field_is_named_and_nothing_typed_is_lost(manager, change, wrong):
    create_custom_field("account", "depth", "Depth", "integer")
    form = {"record": "account", "label": "Mine", "key": "mine", "type": "text", "choices": "", "help": "Why"} | change
    page = manager.post(at("field_new"), form)
    assert page.status_code == 200
    errors = page.context["form"].errors
    assert wrong is None or wrong in errors
    assert errors
    assert "Why" in text_of(page)
    assert CustomField.objects.count() == 1


def test_key_type_and_record_stay_and_a_held_choice_too(manager):
    field = create_custom_field("account", "depth", "Depth", "enum", choices=["a", "b"])
    set_custom_values(make.AccountFactory(), {"depth": "a"})
    form = {"record": "contact", "key": "other", "type": "text", "label": "How deep", "choices": "b", "help": ""}
    page = manager.post(at("field", field.pk), form)
    assert "Records still hold a" in text_of(page)
    manager.post(at("field", field.pk), form | {"choices": "a\nb\nc"})
    field.refresh_from_db()
    assert (field.record, field.key, field.type, field.label) == ("account", "depth", "enum", "How deep")
    assert [choice["value"] for choice in field.choices] == ["a", "b", "c"]


def test_a_field_in_a_rule_or_with_values_is_retired_not_deleted(manager):
    field = create_custom_field("account", "depth", "Depth", "integer")
    rule = all_of({"field": "account.custom.depth", "operator": "gte", "value": 10})
    saved(rule, "Deep divers")
    SavedView.objects.create(record="account", name="Deep view", owner=make.UserFactory(), rules=rule)
    set_custom_values(make.AccountFactory(), {"depth": 12})
    labels = [use.label for use in uses_of_field(field)]
    assert labels == ["Values on records", "Segment “Deep divers”", "Saved view “Deep view”"]
    page = manager.post(at("field_delete", field.pk))
    assert "Deep divers" in text_of(page)
    assert CustomField.objects.filter(pk=field.pk).exists()
    assert "Deep divers" in text_of(manager.post(at("field_retire", field.pk), follow=True))
    field.refresh_from_db()
    assert not field.is_active
    assert "Depth" not in text_of(manager.get(reverse("accounts:account_new")))
    manager.post(at("field_restore", field.pk))
    field.refresh_from_db()
    assert field.is_active
    assert uses_of_field(field)[0].count == 1


def test_a_field_through_a_hop_counts_as_used_and_a_longer_key_does_not():
    short = create_custom_field("account", "size", "Size", "integer")
    long = create_custom_field("account", "size_2", "Size 2", "integer")
    rule = all_of({"field": "contact.account.custom.size_2", "operator": "gte", "value": 1})
    SavedView.objects.create(record="contact", name="Hop", owner=make.UserFactory(), rules=rule)
    assert uses_of_field(short) == []
    assert [use.label for use in uses_of_field(long)] == ["Saved view “Hop”"]


def test_an_unused_field_is_deleted(manager):
    field = create_custom_field("contact", "hobby", "Hobby", "text")
    assert manager.post(at("field_delete", field.pk)).status_code == 302
    assert not CustomField.objects.exists()


def test_a_rep_keeps_no_words():
    client = Client()
    client.force_login(make.UserFactory(role=Role.SALES_REP))
    term, field = add_term("tag", "Mine"), create_custom_field("contact", "hobby", "Hobby", "text")
    for address in (at("term", term.pk), at("term_merge", term.pk), at("field_new"), at("field_retire", field.pk)):
        assert client.post(address, {"name": "Taken", "into": term.pk}).status_code == 403
    term.refresh_from_db()
    assert term.name == "Mine"
