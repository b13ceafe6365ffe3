"""What users and public classifications name: terms of open vocabularies, and industry codes."""

from typing import Any

from django.db import models

from segmentation_crm.common.folding import FoldedField

from ..choices import CodeSystem, Vocabulary
from .columns import closed


class Term(models.Model):
    """A word of an open vocabulary, perhaps in a tree.

    `slug` stays when the name changes. `path` lists the ids from the root to the term ("/12/57/"), so that "under"
    is a prefix; services keep it. A topic may map to a need (`need`).
    """

    vocabulary = models.CharField(max_length=32, choices=Vocabulary.choices)
    slug = models.SlugField(max_length=120, allow_unicode=True, db_index=False)
    name = models.CharField(max_length=200)
    name_folded = FoldedField("name", max_length=400)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    path = models.CharField(max_length=500, blank=True, default="", editable=False)
    position = models.PositiveIntegerField(default=0)
    is_active = models.BooleanField(default=True)
    need = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="topics",
        limit_choices_to={"vocabulary": "need"},
        help_text="Of a topic: the need that interest in it hints at",
    )

    class Meta:
        ordering = ["vocabulary", "position", "name"]
        constraints = [
            *closed("term", vocabulary=Vocabulary),
            models.UniqueConstraint(fields=["vocabulary", "slug"], name="accounts_term_slug_unique"),
            models.UniqueConstraint(
                fields=["vocabulary", "name_folded"],
                name="accounts_term_name_unique",
                violation_error_message="This vocabulary already has a term of that name.",
            ),
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="accounts_term_not_own_parent"),
        ]
        indexes = [models.Index(fields=["vocabulary", "path"], name="accounts_term_path")]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save; a new term gets its path (1 query more)."""
        super().save(*args, **kwargs)
        if not self.path:
            self.path = f"{self.parent.path if self.parent else '/'}{self.pk}/"
            type(self).objects.filter(pk=self.pk).update(path=self.path)


class TermAlias(models.Model):
    """Another spelling of a term, kept after a merge or a rename; imports and rules find the term by it."""

    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="aliases")
    vocabulary = models.CharField(max_length=32, choices=Vocabulary.choices)
    text = models.CharField(max_length=200)
    text_folded = FoldedField("text", max_length=400)

    class Meta:
        ordering = ["text"]
        verbose_name_plural = "term aliases"
        constraints = [models.UniqueConstraint(fields=["vocabulary", "text_folded"], name="accounts_term_alias_unique")]

    def __str__(self) -> str:
        return self.text


class IndustryCode(models.Model):
    """A node of SIC 1987 or NAICS 2022 (public domain, delivered with the product)."""

    system = models.CharField(max_length=8, choices=CodeSystem.choices)
    code = models.CharField(max_length=8)
    title = models.CharField(max_length=255)
    title_folded = FoldedField("title", max_length=500)
    level = models.CharField(max_length=20)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")
    path = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        ordering = ["system", "code"]
        constraints = [
            *closed("industrycode", system=CodeSystem),
            models.UniqueConstraint(fields=["system", "code"], name="accounts_industrycode_code_unique"),
        ]
        indexes = [models.Index(fields=["system", "path"], name="accounts_code_path")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"


class IndustryMapping(models.Model):
    """A range of codes that an industry term stands for; proposes the industry where it is blank."""

    term = models.ForeignKey(Term, on_delete=models.CASCADE, related_name="code_ranges")
    system = models.CharField(max_length=8, choices=CodeSystem.choices)
    code_from = models.CharField(max_length=8)
    code_to = models.CharField(max_length=8)

    class Meta:
        ordering = ["system", "code_from"]
        constraints = [
            *closed("industrymapping", system=CodeSystem),
            models.UniqueConstraint(
                fields=["term", "system", "code_from", "code_to"], name="accounts_industrymapping_unique"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.system} {self.code_from}–{self.code_to}: {self.term}"
