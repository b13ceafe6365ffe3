"""R21: an address that is suppressed, erased or without consent comes back in a file, and stays what it is."""

from datetime import UTC, datetime

import pytest

from accounts.models import Consent, Contact
from tests.factories import ContactFactory
from tests.support.importing import import_data

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 1, tzinfo=UTC)


def load(tmp_path, *rows: str, header: str = "Email,First name,Do not contact"):
    path = tmp_path / "people.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return import_data(path, "contacts", "--key", "email")


def test_a_suppressed_address_stays_suppressed_in_any_writing(tmp_path):
    ContactFactory(email="ada@firm.example", do_not_contact=True)
    ContactFactory(email="bea@firm.example", do_not_contact=False)
    result = load(tmp_path, "  ADA@Firm.example ,Ada,no", "bea@firm.example,Bea,no")
    assert result["warnings"] == {"suppressed_address": 1}
    assert Contact.objects.get(email="ada@firm.example").do_not_contact is True
    assert Contact.objects.get(email="bea@firm.example").do_not_contact is False


def test_a_file_that_says_so_itself_is_not_reported(tmp_path):
    ContactFactory(email="ada@firm.example", do_not_contact=True)
    assert load(tmp_path, "ada@firm.example,Ada,yes")["warnings"] == {}


@pytest.mark.parametrize(
    ("gone", "code"),
    [({"erased_at": AT}, "erased_address"), ({"deleted_at": AT, "do_not_contact": True}, "suppressed_address")],
)
def test_the_address_of_a_record_that_is_gone_comes_back_as_do_not_contact(tmp_path, gone, code):
    ContactFactory(email="ada@firm.example", **gone)
    result = load(tmp_path, "ada@firm.example,Ada,")
    assert (result["created"], result["warnings"]) == (1, {code: 1})
    assert Contact.objects.live().get(email="ada@firm.example").do_not_contact is True
    again = load(tmp_path, "ada@firm.example,Ada,")
    assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, 1)


def test_withdrawn_consent_stands_and_is_reported(tmp_path):
    ada, bea = ContactFactory(email="ada@firm.example"), ContactFactory(email="bea@firm.example")
    Consent.objects.create(contact=ada, channel="email", status="granted", at=AT.replace(month=1))
    Consent.objects.create(contact=ada, channel="email", status="withdrawn", at=AT)
    Consent.objects.create(contact=bea, channel="email", status="withdrawn", at=AT.replace(month=1))
    Consent.objects.create(contact=bea, channel="email", status="granted", at=AT)
    result = load(tmp_path, "ada@firm.example,Ada,", "bea@firm.example,Bea,")
    assert result["warnings"] == {"consent_withdrawn": 1}
    assert list(ada.consents.values_list("status", flat=True)) == ["withdrawn", "granted"]
