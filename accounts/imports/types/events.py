"""Activities, survey answers and consents from files."""

from collections.abc import Iterable, Sequence

from ...choices import Vocabulary
from ...models import Activity, Consent, Contact, SurveyAnswer
from ..drafts import Draft
from ..resolvers import Lookup, OpenTerm
from ..targets import Target, Text
from .base import ImportType
from .links import account_link, campaign_link, contact_link, content_link, opportunity_link, user_link


class Activities(ImportType):
    """Events; by external id, else by the whole row."""

    key, label, model, record_type = "activities", "Activities", Activity, "activity"
    required = ("type", "occurred_at")

    def declare(self) -> Iterable[Target]:
        yield from self.plain(
            "type", "direction", "occurred_at",
            type=("activity_type", "event", "event_type"),
            occurred_at=("date", "at", "timestamp", "datetime", "date_hit"),
        )  # fmt: skip
        yield contact_link()
        yield account_link()
        yield opportunity_link()
        yield campaign_link()
        yield content_link(aliases=("content_title", "page"))
        yield OpenTerm("topic", Vocabulary.TOPIC)
        yield user_link("user", aliases=("owner", "by"))
        yield from self.plain(
            "channel", "subject", "text", "visitor_id", "url_path", "entry_page", "referrer", "utm_source",
            "utm_medium", "utm_campaign", "utm_term", "utm_content", "duration_s", "value", "provider", "party",
            "intent_score", "baseline", "nps", "bot_suspected",
            visitor_id=("tracking_id",), url_path=("url",), referrer=("referer",), text=("note", "description"),
        )  # fmt: skip

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        """An activity of a contact belongs to the contact's account of today, unless the file names one."""
        people = {d.columns["contact_id"] for d in drafts if d.columns.get("contact_id")}
        accounts = dict(Contact.objects.filter(pk__in=people).values_list("pk", "account_id"))
        for draft in drafts:
            if draft.columns.get("contact_id") and "account_id" not in draft.columns:
                draft.columns["account_id"] = accounts.get(draft.columns["contact_id"])


class SurveyAnswers(ImportType):
    """Answers of surveys; by external id, else by the whole row."""

    key, label, model, record_type = "survey_answers", "Survey answers", SurveyAnswer, "survey_answer"

    def declare(self) -> Iterable[Target]:
        yield account_link()
        yield contact_link()
        yield from self.plain(
            "survey", "question", "answer", "answered_at", "source_type",
            survey=("survey_name",), answer=("response",), answered_at=("date", "submitted_at"),
        )  # fmt: skip

    def prepare(self, drafts: Sequence[Draft], lookup: Lookup) -> None:
        for draft in drafts:
            if not draft.columns.get("account_id") and not draft.columns.get("contact_id"):
                draft.reject("contact", "missing_key", "An answer belongs to a known account or contact.")


class Consents(ImportType):
    """What contacts agreed to; by external id, else by the whole row."""

    key, label, model, record_type = "consents", "Consents", Consent, "consent"
    required = ("contact_id", "status")

    def declare(self) -> Iterable[Target]:
        yield contact_link()
        yield OpenTerm("topic", Vocabulary.CONSENT_TOPIC)
        yield from self.plain(
            "channel", "status", "legal_basis", "proof", "at",
            status=("consent", "consent_status"), at=("date", "given_at", "consented_at"), proof=("evidence",),
        )  # fmt: skip
        yield Text("obtained_by", limit=255, aliases=("source", "consent_source", "form"))
