"""Places in the words of people."""

from django import template

from ..fields.places import COUNTRIES

register = template.Library()
_NAMES = {choice.value: choice.label for choice in COUNTRIES}


@register.filter
def country_name(code: str) -> str:
    """Return the country's name for an ISO code: IT -> Italy; an unknown code stays."""
    return _NAMES.get(code, code)
