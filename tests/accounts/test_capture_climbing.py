"""From what was touched to the members that read it, along relations and to-one prefixes, before and after."""

import pytest
from django.db import transaction
from pyroaring import BitMap

from accounts import capture
from accounts.capture import Reads, Taken
from accounts.models import Account, Contact, OpportunityContact, OpportunityLine
from tests import factories as make

pytestmark = pytest.mark.django_db


def climbed(reads: Reads, extra: dict[str, BitMap] | None = None) -> set[int]:
    """Take what waits and climb from it."""
    with transaction.atomic():
        return set(capture.climb(reads, capture.take(), extra))


def lines_of_contacts() -> Reads:
    """A rule over contacts that reads the line items of the deals in which a colleague plays a part."""
    reads = Reads("contact")
    account = reads.step("to_one", "account", "account")
    colleagues = account.step("relation", "account.contacts", "contact")
    deals = colleagues.step("relation", "contact.opportunities", "opportunity")
    deals.step("relation", "opportunity.line_items", "line_item")
    return reads


@pytest.fixture
def chain():
    """A contact whose colleague plays a part in a deal with a line item; and a stranger."""
    account = make.AccountFactory()
    contact, colleague = make.ContactFactory(account=account), make.ContactFactory(account=account)
    stranger = make.ContactFactory(account=make.AccountFactory())
    deal = make.OpportunityFactory(account=make.AccountFactory())
    role = make.OpportunityContactFactory(opportunity=deal, contact=colleague)
    line = make.OpportunityLineFactory(opportunity=deal)
    climbed(lines_of_contacts())
    return account, contact, colleague, stranger, deal, role, line


def test_a_change_far_away_finds_its_members_and_no_others(chain):
    _, contact, colleague, _, _, _, line = chain
    OpportunityLine.objects.filter(pk=line.pk).update(quantity=7)
    assert climbed(lines_of_contacts()) == {contact.pk, colleague.pk}


def test_a_rule_that_does_not_read_it_is_not_woken(chain):
    line = chain[-1]
    OpportunityLine.objects.filter(pk=line.pk).update(quantity=7)
    reads = Reads("contact", {"accounts_contactvalue"})
    reads.step("to_one", "account", "account")
    assert climbed(reads) == set()


def test_a_link_that_is_gone_finds_who_had_it(chain):
    _, contact, colleague, _, _, role, _ = chain
    role.delete()
    assert climbed(lines_of_contacts()) == {contact.pk, colleague.pk}


def test_a_deleted_deal_with_all_below_it_finds_who_read_it(chain):
    _, contact, colleague, _, deal, _, _ = chain
    deal.delete()
    assert climbed(lines_of_contacts()) == {contact.pk, colleague.pk}


def test_a_row_that_moved_finds_both_ends(chain):
    _, contact, colleague, stranger, _, role, line = chain
    other = make.OpportunityContactFactory(contact=stranger, opportunity=make.OpportunityFactory())
    climbed(lines_of_contacts())
    OpportunityLine.objects.filter(pk=line.pk).update(opportunity=other.opportunity)
    assert climbed(lines_of_contacts()) == {contact.pk, colleague.pk, stranger.pk}
    OpportunityContact.objects.filter(pk=role.pk).update(contact=stranger)
    assert climbed(lines_of_contacts()) == {contact.pk, colleague.pk, stranger.pk}


def test_a_contact_that_changed_its_account_wakes_both_houses(chain):
    account, contact, colleague, stranger, *_ = chain
    neighbour = make.ContactFactory(account=make.AccountFactory())
    climbed(lines_of_contacts())
    Contact.objects.filter(pk=colleague.pk).update(account=neighbour.account)
    assert climbed(lines_of_contacts()) == {contact.pk, colleague.pk, neighbour.pk}
    assert stranger.account_id != account.pk


def test_parent_and_children():
    parent = make.AccountFactory()
    child = make.AccountFactory(parent_account=parent)
    other = make.AccountFactory()
    upwards, downwards = Reads("account"), Reads("account")
    upwards.step("to_one", "parent_account", "account")
    downwards.step("relation", "account.children", "account")
    climbed(upwards)
    Account.objects.filter(pk=parent.pk).update(country="DE")
    assert climbed(upwards) == {parent.pk, child.pk}
    Account.objects.filter(pk=child.pk).update(country="FR")
    assert climbed(downwards) == {parent.pk, child.pk}
    Account.objects.filter(pk=child.pk).update(parent_account=other)
    assert climbed(downwards) == {parent.pk, child.pk, other.pk}


def test_values_of_the_record_and_other_reasons():
    contact = make.ContactFactory()
    second = make.ContactFactory(account=contact.account)
    climbed(Reads("contact"))
    make.ConsentFactory(contact=contact)
    assert climbed(Reads("contact", {"accounts_consent"})) == {contact.pk}
    reads = Reads("contact")
    reads.step("to_one", "account", "account").tables.add("segment:tier-1")
    assert climbed(reads, {"segment:tier-1": BitMap([contact.account_id])}) == {contact.pk, second.pk}


def test_trees_of_two_rules_join():
    first, second = lines_of_contacts(), Reads("contact", {"accounts_consent"})
    second.step("relation", "contact.activities", "activity").tables.add("x")
    second.merge(first)
    assert set(second.steps) == {("relation", "contact.activities"), ("to_one", "account")}
    assert second.tables == {"accounts_consent"}
    assert capture.climb(second, Taken()) == BitMap()
