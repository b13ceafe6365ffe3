"""The fields of needs and survey answers (GLOSSARY §2, §5)."""

from accounts.choices import NeedEvidence, NeedKind, SourceType
from segmentation_crm.common.fields import FieldDef

from .making import DATA, NEED, FieldMaker

N = FieldMaker("need")
S = FieldMaker("survey_answer")


def _needs() -> list[FieldDef]:
    return [
        N.tree("need", "Need", NEED, "needs", "term:need"),
        N.enum("kind", "Kind", NEED, "needs", NeedKind),
        N.integer("priority", "Priority", NEED, "needs", help="1 to 5"),
        N.enum("evidence", "Evidence", NEED, "needs", NeedEvidence),
        N.enum("source_type", "Source type", NEED, "needs", SourceType),
        N.decimal("confidence", "Confidence", NEED, "needs", help="A fraction: 0 to 1"),
        N.date("confirmed_on", "Confirmed", NEED, "needs", phrase="confirmation date"),
        N.date("rejected_on", "Rejected", NEED, "needs", phrase="rejection date"),
        N.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        N.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
        N.datetime("updated_at", "Last changed", DATA, "identity", phrase="last change"),
    ]


def _answers() -> list[FieldDef]:
    return [
        S.text("survey", "Survey", NEED, "needs"),
        S.text("question", "Question", NEED, "needs"),
        S.text("answer", "Answer", NEED, "needs"),
        S.datetime("answered_at", "Answered", NEED, "needs", phrase="answering date"),
        S.enum("source_type", "Source type", NEED, "needs", SourceType),
        S.make("enum", "source", "Source system", DATA, "identity", help="The system the record came from"),
        S.datetime("created_at", "Created", DATA, "identity", phrase="creation date"),
    ]


def fields() -> list[FieldDef]:
    """Return the fields of needs and survey answers."""
    return [*_needs(), *_answers()]
