"""`manage.py import_data`: what it writes, reports and refuses."""

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import (
    Account,
    AccountTechnology,
    Activity,
    Consent,
    Contact,
    ContactValue,
    Contract,
    CustomField,
    ExternalId,
    FieldHistory,
    Import,
    ImportRow,
    Need,
    Opportunity,
    OpportunityContact,
    Product,
    Purchase,
    Stage,
    SupportCase,
    SurveyAnswer,
    Term,
)
from segmentation_crm.common.models import User
from tests.support.importing import import_data

pytestmark = pytest.mark.django_db

Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Import lines of text as a type."""

    def run_lines(type_: str, text: str, *options: str, name: str = "file.csv") -> dict[str, Any]:
        path = tmp_path / name
        path.write_text(text, "utf-8")
        return import_data(path, type_, *options)

    return run_lines


def counts(result: dict[str, Any]) -> tuple[int, int, int, int]:
    return result["created"], result["updated"], result["unchanged"], result["invalid"]


def test_accounts_by_name_twice_changes_nothing(run: Run):
    text = "Company,Sector,Employees,Country,Parent\nA GmbH,retail,12,Germany,\nB Ltd,retail,1200,UK,A GmbH\n"
    result = run("accounts", text)
    assert counts(result) == (2, 0, 0, 0)
    assert result["warnings"] == {"added_industry": 1}
    assert result["encoding"] == "utf-8"
    assert result["delimiter"] == "comma"
    assert result["unmapped"] == []
    child = Account.objects.get(name="B Ltd")
    assert (child.country, child.parent_account.name, child.employee_band) == ("GB", "A GmbH", "1001-5000")
    assert child.ultimate_parent == Account.objects.get(name="A GmbH")
    assert counts(run("accounts", text)) == (0, 0, 2, 0)
    assert counts(run("accounts", text.replace("1200", "1300"))) == (0, 1, 1, 0)
    child.refresh_from_db()
    assert child.employee_count == 1300
    assert child.version == 2


def test_a_parent_may_follow_its_child_and_circles_are_refused(run: Run):
    result = run("accounts", "name,parent_account\nC,B\nB,A\nA,C\n")
    assert counts(result) == (3, 0, 0, 0)
    assert result["warnings"] == {"circular_parent_account": 1}
    assert Account.objects.get(name="C").parent_account.name == "B"
    assert Account.objects.get(name="A").parent_account is None


def test_dry_run_reports_and_writes_nothing(run: Run):
    result = run("accounts", "name,sector,extra\nA,new,1\n", "--dry-run", "--create-fields")
    assert counts(result) == (1, 0, 0, 0)
    assert not Term.objects.filter(name="new").exists()
    for model in (Account, CustomField, Import, ImportRow):
        assert not model.objects.exists()


def test_bad_rows_never_block_good_ones_and_are_kept(run: Run):
    text = "name,employees,founded\nA,12,1990\nB,many,1990\n,5,1990\nD,7\nE,3,1990\n"
    result = run("accounts", text)
    assert counts(result) == (2, 0, 0, 3)
    rows = ImportRow.objects.filter(is_rejected=True).order_by("number")
    assert [(r.number, r.line, r.findings[0]["column"], r.findings[0]["code"]) for r in rows] == [
        (2, 3, "employees", "unreadable_number"),
        (3, 4, "name", "missing_key"),
        (4, 5, "", "ragged_row"),
    ]
    assert rows[0].cells == ["B", "many", "1990"]


def test_error_file_can_be_fixed_and_imported_again(run: Run, tmp_path: Path):
    errors = tmp_path / "errors.csv"
    run("accounts", "name,employees,city\n=A,x,+B\n", "--errors", str(errors))
    text = errors.read_text("utf-8")
    assert "'=A,x,'+B" in text
    assert "not a number" in text
    fixed = text.replace(",x,", ",5,")
    result = run("accounts", fixed, "--create-fields", name="fixed.csv")
    assert counts(result) == (1, 0, 0, 0)
    account = Account.objects.get()
    assert (account.name, account.city, account.employee_count) == ("=A", "+B", 5)
    assert not CustomField.objects.exists()


def test_unknown_values_leave_fields_empty_and_keep_the_text(run: Run):
    text = "name,country,ownership,sic_code,owner,industry\nA,Philipines,martian,99999,Nobody,\n"
    result = run("accounts", text)
    assert counts(result) == (1, 0, 0, 0)
    assert result["warnings"] == {
        "unknown_country": 1,
        "unknown_ownership": 1,
        "unknown_owner": 1,
        "unknown_sic_code": 1,
    }
    account = Account.objects.get()
    assert (account.country, account.ownership, account.sic_code, account.owner) == ("", "", None, None)
    texts = {f["column"]: f["text"] for f in ImportRow.objects.get().findings}
    assert texts == {"country": "Philipines", "ownership": "martian", "sic_code": "99999", "owner": "Nobody"}


def test_create_fields_types_columns(run: Run):
    text = (
        "customerID,companyName,GICS Sub-Industry,zip,score,since,founded on,flag,size\n"
        "A1,A,Software,00123,1.0,2020-01-31,1996,true,1.5\n"
        "A2,B,Hardware,01234,2.0,2021-02-28,2001,false,2\n"
    )
    options = ("--create-fields", "--map", "customerID=external_id", "--map", "companyName=name", "--no-guess")
    assert counts(run("accounts", text, *options)) == (2, 0, 0, 0)
    kinds = dict(CustomField.objects.values_list("key", "type"))
    assert kinds == {
        "gics_sub_industry": "text",
        "zip": "text",
        "score": "integer",
        "since": "date",
        "founded_on": "integer",
        "flag": "boolean",
        "size": "decimal",
    }
    values = {v.definition.key: v for v in Account.objects.get(name="A").custom_values.select_related("definition")}
    assert values["zip"].text == "00123"
    assert values["score"].number == 1
    assert values["since"].date.isoformat() == "2020-01-31"
    assert counts(run("accounts", text, *options)) == (0, 0, 2, 0)
    assert counts(run("accounts", text.replace("Software", "Games"), *options)) == (0, 1, 1, 0)


def test_without_create_fields_columns_left_out_are_reported(run: Run):
    assert run("accounts", "name,shoe size\nA,5\n")["unmapped"] == ["shoe size"]


def test_a_guess_that_the_values_contradict_is_withdrawn(run: Run):
    text = "name,Founded\n" + "".join(f"A{n},{'2013 (1888)' if n % 5 == 0 else '1990'}\n" for n in range(60))
    result = run("accounts", text)
    assert counts(result) == (60, 0, 0, 0)
    assert result["unmapped"] == ["Founded"]
    assert counts(run("accounts", text, "--map", "Founded=founded_year")) == (0, 48, 0, 12)


def test_r9_rows_with_the_same_key_make_one_record(run: Run):
    """Of rows with one key the first holds; later ones fill what it left empty, with a warning."""
    text = "email,first_name,last_name,city\nA@x.com,Ann,,\na@X.com ,Anna,Bell,\n A@X.COM,,Cole,\n"
    result = run("contacts", text, "--map", "city=")
    assert Contact.objects.count() == 1
    contact = Contact.objects.get()
    assert (contact.email, contact.first_name, contact.last_name) == ("a@x.com", "Ann", "Bell")
    assert result["warnings"] == {"duplicate_key": 2}
    assert counts(result) == (1, 1, 1, 0)
    assert counts(run("contacts", text, "--map", "city=")) == (0, 0, 3, 0)


def test_duplicates_are_found_across_batches(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("accounts.imports.runner.BATCH_ROWS", 2)
    text = "name,city\nA,x\nB,x\nA,y\nC,x\nB,\n"
    result = run("accounts", text)
    assert counts(result) == (3, 0, 2, 0)
    assert Account.objects.get(name="A").city == "x"
    assert counts(run("accounts", text)) == (0, 0, 5, 0)


def test_an_ambiguous_key_rejects_the_row(run: Run):
    Account.objects.create(name="Twin")
    Account.objects.create(name="Twin")
    result = run("accounts", "name,city\nTwin,x\nOther,y\n")
    assert counts(result) == (1, 0, 0, 1)
    assert ImportRow.objects.get().findings[0]["code"] == "ambiguous_key"


def test_broken_constraints_reject_only_their_row(run: Run):
    Account.objects.create(name="Old", domain="old.com")
    text = "name,domain\n" + "".join(f"N{n},{'old.com' if n == 3 else f'n{n}.com'}\n" for n in range(8))
    result = run("accounts", text, "--key", "name")
    # The domain leads to the record that has it: no second one, no violation.
    assert counts(result) == (7, 1, 0, 0)
    result = run("opportunities", "id,name,probability\n1,a,0.5\n2,b,7\n3,c,75%\n", "--map", "probability=probability")
    assert counts(result) == (2, 0, 0, 1)


def test_r10_a_record_made_meanwhile_is_updated(run: Run, monkeypatch: pytest.MonkeyPatch):
    """Another writer creates the same address after the batch has looked for it."""
    from accounts.imports.matching import Matcher

    look, looked = Matcher.find, []

    def find(self: Any, drafts: Any, lookup: Any) -> Any:
        found = look(self, drafts, lookup)
        if not looked:
            looked.append(True)
            Contact.objects.create(email="b@x.com")
        return found

    monkeypatch.setattr(Matcher, "find", find)
    result = run("contacts", "email,first_name\na@x.com,A\nb@x.com,B\nc@x.com,C\n")
    assert counts(result) == (2, 1, 0, 0)
    assert Contact.objects.get(email="b@x.com").first_name == "B"


def test_an_import_adds_and_never_clears(run: Run):
    run("contacts", "email,job_title,tags,do_not_contact\na@x.com,CTO,vip;new,yes\n")
    result = run("contacts", "email,job_title,tags,do_not_contact\na@x.com,,old,no\n")
    contact = Contact.objects.get()
    assert contact.job_title == "CTO"
    assert contact.do_not_contact is True
    assert set(ContactValue.objects.values_list("term__name", flat=True)) == {"vip", "new", "old"}
    assert counts(result) == (0, 1, 0, 0)


def test_links_by_external_id_then_domain_then_name(run: Run):
    run("accounts", "id,name,domain\n7,Seven,seven.com\n8,Eight,eight.com\n9,Nine,nine.com\n")
    result = run("contacts", "email,account\na@a.org,7\nb@a.org,EIGHT.com\nc@a.org,Nine\nd@a.org,Ten\n")
    names = dict(Contact.objects.values_list("email", "account__name"))
    assert names == {"a@a.org": "Seven", "b@a.org": "Eight", "c@a.org": "Nine", "d@a.org": None}
    assert result["warnings"] == {"unknown_account": 1}
    assert Contact.objects.get(email="d@a.org").company_name_given == "Ten"
    result = run("contacts", "email,account\nd@a.org,Ten\n", "--create-accounts")
    assert result["warnings"] == {"added_account": 1}
    assert Contact.objects.get(email="d@a.org").account.name == "Ten"


def test_contacts_without_address_are_found_by_name_and_account(run: Run):
    run("accounts", "name\nA\nB\n")
    text = 'Contact name,Company,Title\nAnn Lee,A,\nAnn Lee,B,\n"Lee, Bo",A,\n'
    assert counts(run("contacts", text)) == (3, 0, 0, 0)
    assert Contact.objects.filter(first_name="Bo", last_name="Lee", account__name="A").exists()
    assert counts(run("contacts", text)) == (0, 0, 3, 0)


def test_stages_are_added_with_their_flags(run: Run):
    text = "id,stage,amount,close_date\n1,Demo,5,2026-01-31\n2,Closed Won,7,2026-01-31\n3,Closed Lost,0,2026-01-31\n"
    Stage.objects.all().delete()
    result = run("opportunities", text)
    assert result["warnings"] == {"added_stage": 3}
    flags = {s.name: (s.is_open, s.is_won, s.is_lost) for s in Stage.objects.all()}
    assert flags == {
        "Demo": (True, False, False),
        "Closed Won": (False, True, False),
        "Closed Lost": (False, False, True),
    }
    deals = {o.stage.name: o for o in Opportunity.objects.select_related("stage")}
    assert deals["Demo"].expected_close.isoformat() == "2026-01-31"
    assert deals["Demo"].closed_at is None
    assert deals["Closed Lost"].closed_at.date().isoformat() == "2026-01-31"
    assert counts(run("opportunities", text)) == (0, 0, 3, 0)


def test_a_won_deal_makes_its_prospect_a_customer(run: Run):
    run("accounts", "name\nA\n")
    run("opportunities", "id,account,stage\n1,A,Won\n")
    assert Account.objects.get().account_type == "customer"


def test_unknown_products_keep_their_text(run: Run):
    run("products", "product,sales_price,series\nGTX Pro,4821,GTX\n")
    assert Product.objects.get().list_price == 4821
    result = run("opportunities", "id,product\n1,GTX Pro\n2,GTXPro\n")
    assert result["warnings"] == {"unknown_product": 1}
    assert list(Opportunity.objects.order_by("pk").values_list("product__name", "product_text")) == [
        ("GTX Pro", "GTX Pro"),
        (None, "GTXPro"),
    ]


def test_money_with_currency_and_comma_decimals(run: Run):
    text = 'name;annual_revenue\nA;"1.234,50 €"\nB;12,5\n'
    assert run("accounts", text)["delimiter"] == "semicolon"
    a = Account.objects.get(name="A")
    assert (a.annual_revenue, a.annual_revenue_currency) == (Decimal("1234.5"), "EUR")
    assert Account.objects.get(name="B").annual_revenue == Decimal("12.5")


def test_null_text_means_empty(run: Run):
    run("accounts", "name,city\nA,NULL\n", "--null", "NULL")
    assert Account.objects.get().city == ""


def test_ambiguous_dates_are_asked(run: Run):
    text = "id,opened_on\n1,03/04/2026\n"
    with pytest.raises(CommandError, match="day first or month first"):
        run("opportunities", text)
    run("opportunities", text, "--date-order", "dmy")
    assert Opportunity.objects.get().opened_on.isoformat() == "2026-04-03"


@pytest.mark.parametrize(
    ("text", "options", "words"),
    [
        ("", (), "no rows"),
        ("name\n", (), "no rows"),
        ("name,name\na,b\n", (), "several columns"),
        ("name\na\n", ("--map", "x=name"), "no column 'x'"),
        ("name\na\n", ("--map", "name=nonsense"), "no field of accounts"),
        ("name\na\n", ("--key", "domain"), "not mapped"),
        ("city\na\n", (), "told apart"),
        ("name\na\n", ("--map", "name"), "Column=target"),
    ],
)
def test_what_cannot_be_mapped_is_refused_with_words(run: Run, text: str, options: tuple[str, ...], words: str):
    with pytest.raises(CommandError, match=words):
        run("accounts", text, *options)
    assert not Account.objects.exists()
    assert not Import.objects.exists()


def test_a_missing_file_is_named():
    with pytest.raises(CommandError, match="no file"):
        call_command("import_data", "/nowhere.csv", "--as", "accounts")


def test_users_come_inactive_and_without_password(run: Run):
    text = "sales_agent,manager,regional_office\nAnna Snelling,X,Central\nBo Lee,X,East\n"
    result = run("users", text)
    assert counts(result) == (2, 0, 0, 0)
    assert result["unmapped"] == ["manager"]
    anna = User.objects.get(first_name="Anna")
    assert not anna.is_active
    assert not anna.has_usable_password()
    assert (anna.username, anna.role, anna.team.name) == ("anna.snelling", "viewer", "Central")
    assert counts(run("users", text)) == (0, 0, 2, 0)
    refused = run("users", "username,role\nroot,admin\n")
    assert refused["warnings"] == {"unknown_role": 1}
    assert not User.objects.get(username="root").is_superuser
    run("accounts", "name,owner\nA,Anna Snelling\n")
    assert Account.objects.get().owner == anna


TYPES = [
    ("purchases", "order_number,account,product,quantity,unit_price,discount,ordered_at\n"
     "1,A,P,10,2.5,0.1,2026-01-31\n1,A,Q,1,1,0,2026-01-31\n", Purchase),
    ("contracts", "number,account,starts_on,ends_on,mrr,status,renewed_from\n"
     "c1,A,2025-01-01,2025-12-31,100,active,\nc2,A,2026-01-01,2026-12-31,120,active,c1\n", Contract),
    ("support_cases", "account,contact,opened_at,closed_at,hours,severity,satisfaction\n"
     "A,a@a.org,2026-01-31 10:00,2026-02-01,1.5,high,9\n", SupportCase),
    ("activities", "type,occurred_at,contact,direction,channel\nmeeting,2026-01-31T10:00:00Z,a@a.org,outbound,phone\n",
     Activity),
    ("technologies", "account,technology,vendor,category,status,confidence\nA,Postgres,PGDG,database,in_use,0.9\n",
     AccountTechnology),
    ("needs", "account,need,kind,priority\nA,Lower cost,goal,2\n", Need),
    ("contact_roles", "opportunity,contact,role,stance,influence\nDeal,a@a.org,Budget Holder,supporter,5\n",
     OpportunityContact),
    ("survey_answers", "contact,survey,question,answer,answered_at\na@a.org,S,Q,yes,2026-01-31\n", SurveyAnswer),
    ("consents", "contact,topic,channel,status,legal_basis,at\na@a.org,News,email,granted,consent,2026-01-31\n",
     Consent),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "text", "model"), TYPES, ids=[t[0] for t in TYPES])
def test_every_other_type_imports_and_twice_changes_nothing(run: Run, type_: str, text: str, model: Any):
    run("accounts", "name\nA\n")
    run("contacts", "email,account\na@a.org,A\n")
    run("opportunities", "name,account\nDeal,A\n")
    run("products", "name\nP\nQ\n")
    rows = text.count("\n") - 1
    result = run(type_, text)
    assert counts(result) == (rows, 0, 0, 0)
    assert not [code for code in result["warnings"] if code.startswith("unknown")]
    assert model.objects.count() == rows
    assert counts(run(type_, text)) == (0, 0, rows, 0)
    assert model.objects.count() == rows


def test_purchases_compute_their_amount(run: Run):
    run("accounts", "name\nA\n")
    run("purchases", TYPES[0][1])
    assert sorted(Purchase.objects.values_list("amount", flat=True)) == [Decimal("1.0000"), Decimal("22.5000")]


def test_contracts_know_what_they_renew(run: Run):
    run("accounts", "name\nA\n")
    run("contracts", TYPES[1][1])
    assert Contract.objects.get(number="c2").renewed_from.number == "c1"


def test_an_activity_takes_its_contacts_account(run: Run):
    run("accounts", "name\nA\n")
    run("contacts", "email,account\na@a.org,A\n")
    run("activities", TYPES[3][1])
    assert Activity.objects.get().account.name == "A"


def test_stage_history_replaces_what_was_reconstructed(run: Run):
    run("opportunities", "id,name,stage,opened_on\n1,Deal,Won,2026-01-01\n")
    text = "opportunity,stage,from\n1,Demo,2026-01-05\n1,Won,2026-02-01\n1,New,2026-01-01\n"
    result = run("stage_history", text)
    assert counts(result) == (3, 0, 0, 0)
    rows = FieldHistory.objects.filter(record_type="opportunity", field="stage").order_by("valid_from")
    names = dict(Stage.objects.values_list("slug", "name"))
    assert [(names[r.value], r.valid_from.day, r.valid_to and r.valid_to.day, r.is_reconstructed) for r in rows] == [
        ("New", 1, 5, False),
        ("Demo", 5, 1, False),
        ("Won", 1, None, False),
    ]
    assert counts(run("stage_history", text)) == (0, 0, 3, 0)


def test_external_ids_belong_to_their_source(run: Run):
    run("accounts", "id,name\n1,A\n", "--source", "erp")
    assert counts(run("accounts", "id,name\n1,B\n", "--source", "crm")) == (1, 0, 0, 0)
    assert counts(run("accounts", "id,name\n1,A\n", "--source", "erp")) == (0, 0, 1, 0)
    assert set(ExternalId.objects.values_list("source", "external_id")) == {("erp", "1"), ("crm", "1")}


def test_the_last_line_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "a.csv"
    path.write_text("name\nA\n")
    call_command("import_data", str(path), "--as", "accounts")
    line = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert set(line) >= {"created", "updated", "unchanged", "invalid", "warnings", "seconds", "encoding", "delimiter"}
