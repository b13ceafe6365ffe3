"""Open vocabularies and catalogues: add, rename, move, merge with an alias."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import (
    AccountTechnology,
    AccountValue,
    CatalogueAlias,
    FieldHistory,
    Need,
    Opportunity,
    Product,
    Stage,
    Term,
    TermAlias,
)
from accounts.queries import resolve_catalogue, resolve_term
from accounts.services.catalogue import add_entry, merge_entries, rename_entry
from accounts.services.references import is_used
from accounts.services.vocabularies import (
    add_alias,
    add_term,
    get_or_add_term,
    merge_terms,
    move_term,
    rename_term,
)
from segmentation_crm.common.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


def test_a_term_gets_a_slug_and_a_path():
    top = add_term("industry", "  Software   and IT ")
    below = add_term("industry", "SaaS", parent=top)
    assert (top.name, top.slug, top.path) == ("Software and IT", "software-and-it", f"/{top.pk}/")
    assert below.path == f"/{top.pk}/{below.pk}/"
    assert get_or_add_term("industry", "saas") == (below, False)
    assert get_or_add_term("industry", "Other")[1] is True


def test_a_slug_that_is_taken_gets_a_number():
    add_term("tag", "A b")
    assert add_term("tag", "A-b").slug == "a-b-2"


@pytest.mark.parametrize(
    ("vocabulary", "name", "parent", "field"),
    [
        ("nonsense", "x", None, "vocabulary"),
        ("tag", "  ", None, "name"),
        ("tag", "VIP", None, "name"),
        ("tag", "x", "tag", "parent"),
        ("need", "x", "industry", "parent"),
    ],
)
def test_what_is_wrong_is_named(vocabulary, name, parent, field):
    add_term("tag", "vip")
    above = add_term(parent, "Above") if parent else None
    with pytest.raises(ValidationError) as error:
        add_term(vocabulary, name, parent=above)
    assert list(error.value.message_dict) == [field]


def test_a_renamed_term_keeps_slug_and_old_name():
    term = add_term("tag", "VIP")
    rename_term(term, "Very important")
    assert (term.slug, resolve_term("tag", "vip"), resolve_term("tag", "very IMPORTANT")) == ("vip", term, term)
    rename_term(term, "Top")
    rename_term(term, "Very important")
    assert resolve_term("tag", "top") == term
    assert not TermAlias.objects.filter(text_folded="very important").exists()
    with pytest.raises(ValidationError):
        rename_term(add_term("tag", "Other"), "very important")


def test_moving_a_term_moves_what_lies_below():
    one, two = add_term("need", "One"), add_term("need", "Two")
    child = add_term("need", "Child", parent=one)
    leaf = add_term("need", "Leaf", parent=child)
    move_term(child, two)
    leaf.refresh_from_db()
    assert leaf.path == f"/{two.pk}/{child.pk}/{leaf.pk}/"
    with pytest.raises(ValidationError, match="circle"):
        move_term(child, leaf)


def test_merging_moves_every_reference_and_drops_doubles():
    into, gone = add_term("tag", "Into"), add_term("tag", "Gone")
    both, only = factories.AccountFactory(), factories.AccountFactory()
    for account, term in ((both, into), (both, gone), (only, gone)):
        factories.AccountValueFactory(account=account, term=term)
    factories.ContactValueFactory(field="tags", term=gone)
    add_alias(gone, "Away")
    moved = merge_terms(gone, into, factories.UserFactory())
    assert not Term.objects.filter(pk=gone.pk).exists()
    assert sorted(AccountValue.objects.values_list("account_id", "term_id")) == sorted(
        [(both.pk, into.pk), (only.pk, into.pk)]
    )
    assert moved >= 2
    for text in ("gone", "Gone", "away", "into"):
        assert resolve_term("tag", text) == into
    entry = AuditEntry.objects.get(action="term.merged")
    assert entry.details["gone"] == "Gone"


def test_merging_moves_single_values_children_and_needs():
    into, gone = add_term("need", "Into"), add_term("need", "Gone")
    child = add_term("need", "Child", parent=gone)
    opportunity = factories.OpportunityFactory(primary_need=gone)
    account = factories.AccountFactory()
    factories.NeedFactory(account=account, need=into, priority=1)
    factories.NeedFactory(account=account, need=gone, priority=5)
    other = factories.NeedFactory(need=gone)
    merge_terms(gone, into)
    for row in (child, opportunity, other):
        row.refresh_from_db()
    assert (opportunity.primary_need, other.need, child.parent) == (into, into, into)
    assert child.path == f"/{into.pk}/{child.pk}/"
    assert Need.objects.get(account=account).priority == 1


def test_merging_a_term_into_one_below_it_makes_no_circle():
    gone = add_term("need", "Gone")
    into = add_term("need", "Into", parent=gone)
    leaf = add_term("need", "Leaf", parent=into)
    merge_terms(gone, into)
    into.refresh_from_db()
    leaf.refresh_from_db()
    assert (into.parent, into.path, leaf.path) == (None, f"/{into.pk}/", f"/{into.pk}/{leaf.pk}/")


def test_merging_into_itself_or_another_vocabulary_is_refused():
    term = add_term("tag", "One")
    with pytest.raises(ValidationError):
        merge_terms(term, term)
    with pytest.raises(ValidationError):
        merge_terms(term, add_term("need", "Two"))


def test_topics_of_content_move_with_a_merge():
    into, gone = add_term("topic", "Into"), add_term("topic", "Gone")
    content = factories.ContentItemFactory()
    content.topics.set([into, gone])
    merge_terms(gone, into)
    assert list(content.topics.all()) == [into]


def test_a_term_knows_whether_it_is_used():
    term = add_term("tag", "One")
    assert not is_used(term)
    factories.AccountValueFactory(term=term)
    assert is_used(term)


def test_an_alias_of_another_term_is_refused():
    one, two = add_term("tag", "One"), add_term("tag", "Two")
    add_alias(one, "First")
    with pytest.raises(ValidationError, match="already names"):
        add_alias(two, "first")


def test_merging_products_moves_references_and_keeps_the_names():
    into, gone = factories.ProductFactory(name="Into", slug="into"), factories.ProductFactory(name="Gone", slug="old")
    purchase = factories.PurchaseFactory(product=gone)
    assert merge_entries("product", gone, into, factories.UserFactory()) == 1
    purchase.refresh_from_db()
    assert purchase.product == into
    assert resolve_catalogue("product", "GONE") == resolve_catalogue("product", "old") == into
    assert not Product.objects.filter(pk=gone.pk).exists()


def test_merging_technologies_drops_doubles():
    into, gone = factories.TechnologyProductFactory(), factories.TechnologyProductFactory()
    account = factories.AccountFactory()
    for product in (into, gone):
        factories.AccountTechnologyFactory(account=account, product=product)
    merge_entries("technology_product", gone, into)
    assert list(AccountTechnology.objects.values_list("product", flat=True)) == [into.pk]


def test_merging_stages_keeps_history_unbroken():
    pipeline = factories.PipelineFactory()
    into, gone = (factories.StageFactory(pipeline=pipeline, slug=slug) for slug in ("into", "gone"))
    opportunity = factories.OpportunityFactory(stage=gone)
    merge_entries("stage", gone, into)
    opportunity.refresh_from_db()
    assert opportunity.stage == into
    row = FieldHistory.objects.get(record_type="opportunity", record_id=opportunity.pk)
    assert (row.value, row.valid_to) == ("into", None)
    assert resolve_catalogue("stage", "gone", pipeline) == into


def test_an_open_stage_is_not_merged_into_a_won_one():
    pipeline = factories.PipelineFactory()
    won = factories.StageFactory(pipeline=pipeline, is_won=True)
    with pytest.raises(ValidationError, match="both won"):
        merge_entries("stage", factories.StageFactory(pipeline=pipeline), won)


def test_merging_pipelines_joins_stages_of_one_name():
    into, gone = factories.PipelineFactory(), factories.PipelineFactory()
    same, other = add_entry("stage", "Demo", pipeline=into), add_entry("stage", "demo", pipeline=gone)
    alone = add_entry("stage", "Trial", pipeline=gone)
    opportunity = factories.OpportunityFactory(stage=other)
    merge_entries("pipeline", gone, into)
    opportunity.refresh_from_db()
    alone.refresh_from_db()
    assert (opportunity.stage, opportunity.pipeline, alone.pipeline) == (same, into, into)


@pytest.mark.parametrize(
    ("name", "flags"),
    [("Won", (True, False)), ("Closed Lost", (False, True)), ("closed-won", (True, False)), ("Wonder", (False, False))],
)
def test_a_new_stage_named_won_or_lost_gets_the_flag(name, flags):
    stage = add_entry("stage", name, pipeline=factories.PipelineFactory())
    stage.refresh_from_db()
    assert (stage.is_won, stage.is_lost, stage.is_open) == (*flags, not any(flags))


def test_a_renamed_entry_is_found_by_both_names():
    vendor = add_entry("vendor", "Old name")
    rename_entry("vendor", vendor, "New name")
    assert resolve_catalogue("vendor", "old NAME") == resolve_catalogue("vendor", "new name") == vendor
    assert CatalogueAlias.objects.count() == 1
    with pytest.raises(ValidationError):
        add_entry("vendor", "NEW name")


def test_every_installation_has_a_pipeline_with_won_and_lost():
    stages = Stage.objects.filter(pipeline__is_default=True)
    assert stages.filter(is_won=True).count() == stages.filter(is_lost=True).count() == 1
    assert stages.filter(is_open=True).count() == 3
    assert Opportunity.objects.count() == 0
    assert Term.objects.filter(vocabulary="technology_category", slug="crm").exists()
