"""Fields of serializers that know the records: scoped references, multi fields, codes of countries and currencies."""

from collections.abc import Callable
from typing import Any

import pycountry
from django.db.models import Model, QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from segmentation_crm.common.folding import fold
from segmentation_crm.common.models import User

from ..models import Account, Contact, IndustryCode, Opportunity, Term
from ..queries import accounts_visible_to, contacts_visible_to, opportunities_visible_to

# What a reference may point to, by model; models that everyone sees are not listed.
VISIBLE: dict[type[Model], Callable[[Any], QuerySet]] = {
    Account: accounts_visible_to,
    Contact: contacts_visible_to,
    Opportunity: opportunities_visible_to,
    User: lambda _user: User.objects.filter(is_active=True),
}


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string"}], "nullable": True})
class ReferenceField(serializers.RelatedField):
    """A reference: shown as id; taken as id, or as slug, code or name where the target has one.

    What the caller may not see answers exactly like what does not exist.
    """

    default_error_messages = {
        "does_not_exist": "There is no {noun} {value}.",
        "incorrect_type": "Give {wanted}.",
    }

    def use_pk_only_optimization(self) -> bool:
        """Show the id without reading the target."""
        return True

    def get_queryset(self) -> QuerySet:
        """Return the targets that the caller may name."""
        base = super().get_queryset()
        assert base is not None  # every writable reference is made with one
        scope = VISIBLE.get(base.model)
        return scope(self.context["request"].user) if scope else base

    def to_representation(self, value: Any) -> Any:
        """Return the id."""
        return value.pk

    def to_internal_value(self, data: Any) -> Model:
        """Return the target.

        Raises ValidationError: does_not_exist, incorrect_type.
        """
        queryset = self.get_queryset()
        model = queryset.model
        by_name = hasattr(model, "slug") or model is IndustryCode or model is User
        noun = str(model._meta.verbose_name)
        if isinstance(data, bool) or not isinstance(data, int | str):
            self.fail("incorrect_type", wanted="an id, a slug or a name" if by_name else "an id")
        shown = str(data)[:60]
        if isinstance(data, int):
            found = queryset.filter(pk=data).first()
        elif by_name:
            found = find_named(queryset, data)
        elif data.isascii() and data.isdigit():
            found = queryset.filter(pk=int(data[:30])).first()
        else:
            self.fail("incorrect_type", wanted="an id")
        if found is None:
            self.fail("does_not_exist", noun=noun, value=shown)
        return found


def find_named(queryset: QuerySet, text: str) -> Any:
    """Return the row of that slug, code or username, else of that folded name, or None (1–2 queries)."""
    model = queryset.model
    if model is User:
        return queryset.filter(username=text).first()
    if model is IndustryCode:
        return queryset.filter(code__iexact=text.strip()).first()
    found = queryset.filter(slug=text).first()
    return found or queryset.filter(name_folded=fold(text)).first()


class MultiField(serializers.Field):
    """A field of several values, kept as rows of `<Owner>Value`: an array of tokens, slugs or codes."""

    initial: list[Any] = []
    default_error_messages = {
        "not_a_list": "Give an array of texts.",
        "too_many": "Give at most {limit} values.",
        "unknown": "{value} is not one of the values of this field.",
    }
    limit = 500

    def __init__(self, field: str, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        kwargs["source"] = "*"
        self.multi_field = field
        super().__init__(**kwargs)

    def to_representation(self, instance: Any) -> list[str]:
        """Return the values, sorted; reads the prefetched rows."""
        rows = (row for row in instance.values_multi.all() if row.field == self.multi_field)
        return sorted(self.shown(row) for row in rows)

    def shown(self, row: Any) -> str:
        """Return what one row stands for."""
        return row.token

    def to_internal_value(self, data: Any) -> dict[str, list[Any]]:
        """Return the values to write.

        Raises ValidationError: not_a_list, too_many, unknown.
        """
        if not isinstance(data, list) or not all(isinstance(item, str) for item in data):
            self.fail("not_a_list")
        if len(data) > self.limit:
            self.fail("too_many", limit=self.limit)
        return {MULTI_PREFIX + self.multi_field: self.parsed(list(dict.fromkeys(data)))}

    def parsed(self, items: list[str]) -> list[Any]:
        """Return the values as they are stored."""
        raise NotImplementedError


MULTI_PREFIX = "multi:"


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class TokensField(MultiField):
    """Tokens, checked one by one: of a closed list, or by a function that returns the cleaned token."""

    def __init__(self, field: str, clean: Callable[[str], str | None], **kwargs: Any) -> None:
        self.clean = clean
        super().__init__(field, **kwargs)

    def parsed(self, items: list[str]) -> list[str]:
        """Return the cleaned tokens, each once."""
        cleaned = []
        for item in items:
            token = self.clean(item)
            if not token:
                self.fail("unknown", value=item[:60])
            cleaned.append(token)
        return list(dict.fromkeys(cleaned))


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class TermsField(MultiField):
    """Terms of an open vocabulary: shown as slugs, taken as slugs or names (1–2 queries)."""

    def __init__(self, field: str, vocabulary: str, **kwargs: Any) -> None:
        self.vocabulary = vocabulary
        super().__init__(field, **kwargs)

    def shown(self, row: Any) -> str:
        """Return the slug."""
        return row.term.slug if row.term else ""

    def parsed(self, items: list[str]) -> list[Term]:
        """Return the terms."""
        terms = Term.objects.filter(vocabulary=self.vocabulary)
        by_slug = {term.slug: term for term in terms.filter(slug__in=items)}
        rest = [item for item in items if item not in by_slug]
        by_name = {t.name_folded: t for t in terms.filter(name_folded__in=[fold(i) for i in rest])} if rest else {}
        found = []
        for item in items:
            term = by_slug.get(item) or by_name.get(fold(item))
            if term is None:
                self.fail("unknown", value=item[:60])
            found.append(term)
        return list(dict.fromkeys(found))


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class CodesField(MultiField):
    """Industry codes of one system."""

    def __init__(self, field: str, system: str, **kwargs: Any) -> None:
        self.system = system
        super().__init__(field, **kwargs)

    def shown(self, row: Any) -> str:
        """Return the code."""
        return row.code.code if row.code else ""

    def parsed(self, items: list[str]) -> list[IndustryCode]:
        """Return the codes (1 query)."""
        rows = IndustryCode.objects.filter(system=self.system, code__in=[item.strip() for item in items])
        by_code = {row.code: row for row in rows}
        for item in items:
            if item.strip() not in by_code:
                self.fail("unknown", value=item[:60])
        return list(by_code.values())


def one_of(choices: Any) -> Callable[[str], str | None]:
    """Return the check of a token of a closed list."""
    values = set(choices.values)
    return lambda token: token if token in values else None


def country_code(text: str) -> str | None:
    """Return the ISO 3166-1 alpha-2 code in capitals, or None."""
    found = pycountry.countries.get(alpha_2=text.upper()) if len(text) == 2 else None
    return found.alpha_2 if found else None


def language_tag(text: str) -> str | None:
    """Return a BCP 47 tag whose language is known to ISO 639, or None."""
    head = text.split("-")[0].lower()
    known = pycountry.languages.get(alpha_2=head) if len(head) == 2 else pycountry.languages.get(alpha_3=head)
    return text if known and len(text) <= 35 and text.replace("-", "").isalnum() and text.isascii() else None


def check_country(text: str) -> None:
    """Refuse what is no country.

    Raises ValidationError.
    """
    if text and country_code(text) != text:
        raise serializers.ValidationError("Give an ISO 3166-1 alpha-2 code in capitals, such as DE.", "unknown_country")


def check_subdivision(text: str) -> None:
    """Refuse what is no subdivision.

    Raises ValidationError.
    """
    if text and pycountry.subdivisions.get(code=text) is None:
        raise serializers.ValidationError("Give an ISO 3166-2 code, such as US-CA.", "unknown_subdivision")


def check_currency(text: str) -> None:
    """Refuse what is no currency.

    Raises ValidationError.
    """
    if text and (len(text) != 3 or not text.isupper() or pycountry.currencies.get(alpha_3=text) is None):
        raise serializers.ValidationError("Give an ISO 4217 code in capitals, such as EUR.", "unknown_currency")


def check_language(text: str) -> None:
    """Refuse what is no language tag.

    Raises ValidationError.
    """
    if text and language_tag(text) is None:
        raise serializers.ValidationError("Give a BCP 47 tag, such as en or de-AT.", "unknown_language")
