"""Text folding: casefold + NFC, outer blanks trimmed; kept in shadow columns, the same on every database."""

import unicodedata
from typing import Any

from django.db import models


def fold(text: str) -> str:
    """Return the form in which texts are compared: NFC of the casefold of the trimmed text."""
    if text.isascii():
        # The same, many times faster.
        return text.lower().strip()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold()).strip()


class FoldedField(models.CharField):
    """The shadow of a text field, filled from it on every save and bulk_create.

    Declared beside its source: `name_folded = FoldedField("name")`. Bulk updates and COPY write it with `fold()`.
    """

    def __init__(self, source: str = "", **kwargs: Any) -> None:
        self.source = source
        kwargs.setdefault("max_length", 2000)
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", "")
        kwargs.setdefault("editable", False)
        super().__init__(**kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs["source"] = self.source
        return name, path, args, kwargs

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        """Return the folded source and set it on the instance."""
        value = fold(getattr(model_instance, self.source) or "")[: self.max_length]
        setattr(model_instance, self.attname, value)
        return value
