"""Closed lists of technologies and needs."""

from django.db import models


class TechnologyStatus(models.TextChoices):
    """How an account uses a technology."""

    IN_USE = "in_use", "In use"
    EVALUATING = "evaluating", "Evaluating"
    PHASING_OUT = "phasing_out", "Phasing out"
    FORMER = "former", "Former"


class NeedKind(models.TextChoices):
    """What kind of need it is."""

    PROBLEM = "problem", "Problem"
    GOAL = "goal", "Goal"
    CHALLENGE = "challenge", "Challenge"
    OPPORTUNITY = "opportunity", "Opportunity"


class NeedEvidence(models.TextChoices):
    """How we know of the need."""

    STATED = "stated", "Stated"
    SURVEY = "survey", "Survey"
    INTERVIEW = "interview", "Interview"
    INFERRED_CONTENT = "inferred_content", "Inferred from content"
    INFERRED_USAGE = "inferred_usage", "Inferred from usage"


# What we concluded ourselves; the others are what people said.
INFERRED_EVIDENCE = frozenset({str(NeedEvidence.INFERRED_CONTENT), str(NeedEvidence.INFERRED_USAGE)})
