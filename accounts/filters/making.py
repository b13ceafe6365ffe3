"""Kinds of filter that the FilterSets share: bounded input, folded text, terms by slug, yes or no."""

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any

import django_filters
from django import forms
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django_filters.fields import ChoiceField
from drf_spectacular.utils import extend_schema_field

from segmentation_crm.common.folding import fold

from ..models import ExternalId, Term

MAX_ID = 2**63 - 1
MAX_TEXT = 200


class IdFilter(django_filters.Filter):
    """A reference by id; an id that does not exist, or may not be seen, finds nothing."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("min_value", 1)
        kwargs.setdefault("max_value", MAX_ID)
        super().__init__(*args, **kwargs)


ME = "me"


class PersonField(forms.CharField):
    """One of us: an id, or "me" for whoever asks."""

    def clean(self, value: Any) -> Any:
        """Return "me", the id, or None.

        Raises ValidationError for anything else.
        """
        text = super().clean(value)
        if not text or text == ME:
            return text or None
        if not (text.isascii() and text.isdigit()) or not 0 < int(text[:20]) <= MAX_ID:
            raise forms.ValidationError("Give the id of a person, or me.")
        return int(text)


class PersonFilter(django_filters.Filter):
    """One of us by id, or "me": whoever asks, so that a shared view shows everyone their own."""

    field_class = PersonField

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Keep rows of that person."""
        if value == ME:
            user = getattr(getattr(self.parent, "request", None), "user", None)
            value = getattr(user, "pk", None)
            return qs.filter((self.field_name, value)) if value is not None else qs.none()
        return super().filter(qs, value)


class NumberFilter(django_filters.Filter):
    """A number that fits the database's columns."""

    field_class = forms.DecimalField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_value", Decimal(10) ** 15)
        kwargs.setdefault("min_value", -(Decimal(10) ** 15))
        super().__init__(*args, **kwargs)


class WholeNumberFilter(django_filters.Filter):
    """A whole number that fits the database's columns."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_value", 2**31 - 1)
        kwargs.setdefault("min_value", 0)
        super().__init__(*args, **kwargs)


class TextFilter(django_filters.CharFilter):
    """A text of at most 200 characters; with `folded`, compared as the folded column keeps it."""

    def __init__(self, *args: Any, folded: bool = False, **kwargs: Any) -> None:
        self.folded = folded
        kwargs.setdefault("max_length", MAX_TEXT)
        super().__init__(*args, **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Filter by the text, folded first where the column is."""
        return super().filter(qs, fold(value) if self.folded and value else value)


class SearchFilter(TextFilter):
    """The list's search box: the folded text occurs in one of the columns."""

    def __init__(self, *columns: str, **kwargs: Any) -> None:
        self.columns = columns
        kwargs.setdefault("label", "Search")
        super().__init__(**kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Keep rows where any of the columns contains the text."""
        text = fold(value or "")
        if not text:
            return qs
        found = Q()
        for column in self.columns:
            found |= Q((f"{column}__contains", text))
        return qs.filter(found)


class YesNoField(ChoiceField):
    """A choice of true and false that gives a boolean."""

    def clean(self, value: Any) -> Any:
        """Return True, False, or "" where nothing is given."""
        cleaned = super().clean(value)
        return cleaned == "true" if cleaned else cleaned


class YesNoFilter(django_filters.ChoiceFilter):
    """true or false; anything else is refused."""

    field_class = YesNoField

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("choices", (("true", "Yes"), ("false", "No")))
        kwargs.setdefault("empty_label", "Any")
        super().__init__(*args, **kwargs)


class TokenFilter(django_filters.MultipleChoiceFilter):
    """One or more tokens of a closed list, in a column of the record itself; the parameter may be repeated.

    No DISTINCT: a column of its own doubles no row, and the database would sort all rows before it shows the first.
    """

    def __init__(self, choices: Any, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("distinct", False)
        super().__init__(*args, choices=choices.choices, **kwargs)


class SlugFilter(django_filters.ModelMultipleChoiceFilter):
    """One or more entries of a catalogue by slug; the parameter may be repeated."""

    def __init__(self, queryset: QuerySet, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, queryset=queryset, to_field_name="slug", **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Keep rows that refer to one of the entries."""
        entries = list(value or ())
        return qs.filter((f"{self.field_name}__in", entries)) if entries else qs


class TermsFilter(SlugFilter):
    """One or more terms of a vocabulary by slug; a term of a tree stands for all below it."""

    def __init__(self, vocabulary: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(Term.objects.filter(vocabulary=vocabulary), *args, **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Keep rows whose term is one of these or lies below one."""
        terms = list(value or ())
        if not terms:
            return qs
        return qs.filter((f"{self.field_name}__in", Term.objects.filter(_under(terms)).values("pk")))


@extend_schema_field({"type": "array", "items": {"type": "string"}})
class MultiTermsFilter(SlugFilter):
    """Records that hold at least one of these terms in a multi field; a term of a tree stands for all below it."""

    def __init__(self, vocabulary: str, owner: str, values: type[Model], field: str, **kwargs: Any) -> None:
        self.owner, self.values, self.multi_field = owner, values, field
        super().__init__(Term.objects.filter(vocabulary=vocabulary), **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Keep rows that hold one of the terms."""
        terms = list(value or ())
        if not terms:
            return qs
        rows = self.values._default_manager.filter(
            Q((self.owner, OuterRef("pk"))),
            field=self.multi_field,
            term__in=Term.objects.filter(_under(terms)).values("pk"),
        )
        return qs.filter(Exists(rows))


class MultiTokensFilter(TokenFilter):
    """Records that hold at least one of these tokens in a multi field."""

    def __init__(self, choices: Any, owner: str, values: type[Model], field: str, **kwargs: Any) -> None:
        self.owner, self.values, self.multi_field = owner, values, field
        super().__init__(choices, **kwargs)

    def filter(self, qs: QuerySet, value: Any) -> QuerySet:
        """Keep rows that hold one of the tokens."""
        if not value:
            return qs
        rows = self.values._default_manager.filter(
            Q((self.owner, OuterRef("pk"))), field=self.multi_field, token__in=list(value)
        )
        return qs.filter(Exists(rows))


def _under(terms: Iterable[Term]) -> Q:
    found = Q(pk__in=[])
    for term in terms:
        found |= Q(path__startswith=term.path) if term.path else Q(pk=term.pk)
    return found


class Ordering(django_filters.OrderingFilter):
    """The allow-listed ordering: `{parameter: column}`; `-` before the parameter turns it round."""

    def __init__(self, **columns: str) -> None:
        super().__init__(fields=[(column, name) for name, column in columns.items()])


def flag(condition: Q) -> Callable[[QuerySet, str, bool], QuerySet]:
    """Return a filter method: true keeps what meets the condition, false the rest."""

    def apply(queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(condition if value else ~condition)

    return apply


class ImportedFilterSet(django_filters.FilterSet):
    """What every importable record can be found by: its numbers in other systems, and when it changed."""

    record_type = ""

    external_id = TextFilter(method="filter_external_id", label="Number in another system")
    source = TextFilter(method="filter_source", label="That system")
    created_since = django_filters.IsoDateTimeFilter(field_name="created_at", lookup_expr="gte", label="Created since")
    updated_since = django_filters.IsoDateTimeFilter(field_name="updated_at", lookup_expr="gte", label="Changed since")

    def filter_external_id(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Keep the record with that external id, in the source system named beside it, or in any."""
        ids = ExternalId.objects.filter(record_type=self.record_type, external_id=value)
        source = self.data.get("source") if self.data else None
        if source:
            ids = ids.filter(source=source)
        return queryset.filter(pk__in=ids.values("record_id"))

    def filter_source(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Keep records of that source system; beside `external_id` it names where that number counts."""
        if self.data.get("external_id"):
            return queryset
        return queryset.filter(source=value)
