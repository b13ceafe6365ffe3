"""Contacts from files."""

from collections.abc import Iterable, Sequence
from typing import Any

from ...choices import BuyingRole, Vocabulary
from ...models import Contact, ContactCustomValue, ContactValue
from ...services.contacts import fill_computed, follow_job_changes, link_primary_accounts
from ...services.matching import match_accounts
from ...services.money import RateBook
from ..drafts import Draft
from ..formats import Country, Email, Language, Phone, TimeZone, Url
from ..resolvers import Lookup, OpenTerm, OpenTerms
from ..suppressed import keep_suppressed
from ..targets import Choice, FullName, Multi, Target
from .base import ImportType
from .links import account_link, persona_entry, user_link

_ALIASES = {
    "first_name": ("firstname", "given_name", "forename"),
    "last_name": ("lastname", "surname", "family_name"),
    "job_title": ("contact_title", "position", "jobtitle", "role_title"),
    "company_name_given": ("company_as_given",),
}
# What other systems call a buying role.
ROLE_NAMES = {
    "budget holder": BuyingRole.ECONOMIC_BUYER,
    "economic decision maker": BuyingRole.ECONOMIC_BUYER,
    "sponsor": BuyingRole.EXECUTIVE_SPONSOR,
    "technical buyer": BuyingRole.TECHNICAL_DECISION_MAKER,
    "technical evaluator": BuyingRole.TECHNICAL_DECISION_MAKER,
    "user": BuyingRole.END_USER,
    "legal": BuyingRole.LEGAL_COMPLIANCE,
    "compliance": BuyingRole.LEGAL_COMPLIANCE,
    "purchasing": BuyingRole.PROCUREMENT,
    "buyer": BuyingRole.PROCUREMENT,
}


class Contacts(ImportType):
    """People; by external id, e-mail or first name, last name and account."""

    key, label, model, record_type = "contacts", "Contacts", Contact, "contact"
    keys = (("external_id",), ("email",), ("first_name", "last_name", "account"))
    second_chance = ("email",)
    value_model, custom_model = ContactValue, ContactCustomValue

    def declare(self) -> Iterable[Target]:
        yield from self.plain("first_name", "last_name", **_ALIASES)
        yield FullName("name", "Full name", aliases=("full_name", "contact_name", "fullname", "contact"))
        yield Email("email", aliases=("e_mail", "email_address", "mail"))
        yield Phone("phone", limit=40, aliases=("telephone", "phone_number", "tel"))
        yield Phone("mobile", limit=40, aliases=("mobile_phone", "cell", "cell_phone"))
        yield Url("linkedin_url", limit=500, aliases=("linkedin", "linkedin_profile"))
        yield Country("country", aliases=("country_code",))
        yield Country("nationality")
        yield Language("language", aliases=("locale",))
        yield TimeZone("time_zone", aliases=("timezone",))
        yield user_link("owner", aliases=("owner_name", "contact_owner", "ownerid", "owner_id"))
        yield account_link("account", text_column="company_name_given")
        yield from self.plain("company_name_given", "job_title", "seniority", "department", **_ALIASES)
        yield persona_entry()
        yield OpenTerm("reject_reason", Vocabulary.REJECT_REASON)
        yield from self.plain(
            "risk_appetite", "preferred_channel", "preferred_content_format", "lifecycle_stage", "lead_status",
            "recycle_until", "deliverability", "do_not_contact",
            lead_status=("status",),
            do_not_contact=("unsubscribed", "opted_out", "dnc"),
        )  # fmt: skip
        for stage in ("subscriber", "lead", "mql", "sal", "sql", "opportunity", "customer", "evangelist"):
            yield from self.plain(f"became_{stage}_at")
        roles = Choice("buying_roles", BuyingRole.choices, names=ROLE_NAMES)
        yield Multi("buying_roles", roles, aliases=("buying_role", "role"))
        for name in ("likes", "dislikes", "attitudes", "values", "beliefs", "traits"):
            yield OpenTerms(name, name)
        yield OpenTerms("tags", Vocabulary.TAG, aliases=("labels",))

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        keep_suppressed(drafts)

    def complete(self, record: Any, book: RateBook) -> None:
        fill_computed(record)

    def after_batch(self, drafts: Sequence[Draft]) -> None:
        """List primary accounts, follow changed jobs; match people without account by their e-mail domain."""
        left = {d.record.pk: d.was["account_id"] for d in drafts if not d.is_rejected and d.was.get("account_id")}
        if left:
            follow_job_changes(left)
        ids = [draft.record.pk for draft in drafts if draft.outcome != "unchanged"]
        link_primary_accounts([d.record.pk for d in drafts if d.outcome != "unchanged" and d.record.account_id])
        match_accounts(ids)
