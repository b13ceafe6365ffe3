"""Controls of record forms: pickers for long lists, codes as choices."""

from typing import Any

import pycountry
from django import forms
from django.core.exceptions import ValidationError
from django.urls import reverse_lazy

from segmentation_crm.common.keys import keys_of

from ..fields.places import COUNTRIES
from ..models import Term

# What a word is sent with that is not in its vocabulary yet.
NEW = "new:"
COUNTRY_CHOICES = [("", ""), *((choice.value, choice.label) for choice in COUNTRIES)]


class Picker(forms.Select):
    """A select with search; with `kind` it asks the server and is sent with the chosen option only."""

    def __init__(self, kind: str = "", attrs: dict[str, Any] | None = None) -> None:
        attrs = {"data-picker": "", **(attrs or {})}
        if kind:
            attrs["data-options-url"] = reverse_lazy("accounts:options", args=[kind])
        self.kind = kind
        super().__init__(attrs)

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        """Return the options: all of a short list, the chosen one of a long list (1 query)."""
        if self.kind:
            source: Any = self.choices
            rows = source.queryset.filter(pk__in=keys_of(value))
            self.choices = [("", ""), *((row.pk, source.field.label_from_instance(row)) for row in rows)]
            groups = super().optgroups(name, value, attrs)
            self.choices = source
            return groups
        return super().optgroups(name, value, attrs)


class MultiPicker(forms.SelectMultiple):
    """A select of several values with search; words that are new are sent as "new:<word>"."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"data-picker": "", **(attrs or {})})

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> list[Any]:
        """Return the options, with the new words that were typed: they survive an error elsewhere."""
        groups = super().optgroups(name, value, attrs)
        typed = [text for text in value if text.startswith(NEW)]
        options = [
            self.create_option(name, text, text.removeprefix(NEW), True, len(groups) + number, attrs=attrs)
            for number, text in enumerate(typed)
        ]
        return [*groups, *((None, [option], option["index"]) for option in options)]


class RecordField(forms.ModelChoiceField):
    """A reference to one record of a long list, searched on the server; one may only name what one may see."""

    def __init__(self, kind: str, label: str, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(queryset=None, widget=Picker(kind), label=label, **kwargs)
        self.error_messages["invalid_choice"] = "Choose from the list: this one is not there, or not visible to you."


class TreeField(forms.ModelChoiceField):
    """One term of a vocabulary, set in under its parents."""

    def __init__(self, vocabulary: str, label: str, **kwargs: Any) -> None:
        terms = Term.objects.filter(vocabulary=vocabulary, is_active=True).order_by("path")
        super().__init__(queryset=terms, required=False, widget=Picker(), label=label, **kwargs)

    def label_from_instance(self, term: Any) -> str:
        """Return the name, set in by its depth."""
        return "\u2003" * max(0, term.path.count("/") - 2) + term.name


class TagsField(forms.ModelMultipleChoiceField):
    """Several terms of a vocabulary."""

    def __init__(self, vocabulary: str, label: str, **kwargs: Any) -> None:
        terms = Term.objects.filter(vocabulary=vocabulary, is_active=True).order_by("name_folded")
        super().__init__(queryset=terms, required=False, widget=MultiPicker(), label=label, **kwargs)


class OpenTagsField(TagsField):
    """Several terms of a vocabulary, and words that become terms where whoever asks `may_add` them.

    Its value is a list of terms, and of texts for what is to be added.
    """

    may_add = False

    def allow_new(self) -> None:
        """Let words be typed that the vocabulary does not hold."""
        self.may_add = True
        self.widget.attrs["data-create"] = ""

    def clean(self, value: Any) -> list[Term | str]:  # type: ignore[override]
        """Return the terms chosen and the words to add.

        Raises ValidationError for a new word where none may be added.
        """
        texts = [text for text in value or [] if isinstance(text, str)]
        words = [" ".join(text.removeprefix(NEW).split()) for text in texts if text.startswith(NEW)]
        known = super().clean([text for text in texts if not text.startswith(NEW)])
        if words and not self.may_add:
            raise ValidationError(
                f"“{words[0][:80]}” is not in the list. Choose one that is, or ask a manager to add it."
            )
        if wrong := next((word for word in words if not word or len(word) > 200 or not word.isprintable()), None):
            raise ValidationError(f"“{wrong[:80]}” is no word for a vocabulary: use 1 to 200 printable characters.")
        return [*known, *words]


def country_field(label: str = "Country") -> forms.ChoiceField:
    """Return a choice of countries by ISO code."""
    return forms.ChoiceField(choices=COUNTRY_CHOICES, required=False, widget=Picker(), label=label)


class CurrencyField(forms.CharField):
    """A currency by its ISO 4217 code; empty is the organisation's."""

    def __init__(self, label: str = "Currency", **kwargs: Any) -> None:
        kwargs.setdefault("help_text", "Empty: your organisation's.")
        super().__init__(required=False, max_length=3, label=label, **kwargs)

    def clean(self, value: Any) -> str:
        """Return the code in capitals.

        Raises ValidationError for a code that is not of ISO 4217.
        """
        code = str(super().clean(value)).strip().upper()
        if code and pycountry.currencies.get(alpha_3=code) is None:
            raise ValidationError(f"“{code}” is no currency of ISO 4217. Use a code such as EUR or USD.")
        return code
