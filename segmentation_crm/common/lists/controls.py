"""The controls of a list's filters and the chips of those in force."""

from collections.abc import Sequence
from typing import Any

from django.http import QueryDict

from .definition import Facet
from .resolve import NO_VIEW, RESERVED, Resolved

# Past this many choices a control searches instead of listing.
MAX_CHOICES = 300


def controls_of(facets: Sequence[Facet], params: QueryDict) -> list[dict[str, Any]]:
    """Return the controls with their choices and values (1 query for each filled from the database)."""
    return [_control(facet, params) for facet in facets]


def _control(facet: Facet, params: QueryDict) -> dict[str, Any]:
    values = [value for value in params.getlist(facet.name) if value]
    choices = list(facet.choices()) if facet.choices else []
    options_url = facet.options() if facet.options and len(choices) > MAX_CHOICES else ""
    if options_url:
        named = facet.naming(values) if facet.naming and values else {}
        choices = [(value, named.get(value, value)) for value in values]
    return {
        "name": facet.name,
        "label": facet.label,
        "type": facet.type,
        "main": facet.main,
        "choices": choices,
        "is_select": bool(facet.choices),
        "options_url": options_url,
        "value": values[0] if values else "",
        # An address may hold several values of one filter; the control then keeps them all.
        "several": values if len(values) > 1 else [],
        "words": ", ".join(dict(choices).get(value, value).strip() for value in values),
        # The view may set it: an empty value must then travel to take it away.
        "keep_empty": facet.name in params and "view" in params,
    }


def chips_of(resolved: Resolved, controls: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Return a chip for each filter in force, with the address that takes it away (0 queries)."""
    labels = {control["name"]: control for control in controls}
    chips = []
    for name in resolved.params:
        if name in RESERVED | {"ordering"} or not resolved.params.get(name):
            continue
        if name == "search":
            chips.append({"label": "", "words": f"“{resolved.params['search']}”", "without": without(resolved, name)})
            continue
        control = labels.get(name)
        label = control["label"] if control else name.replace("_", " ").capitalize()
        words = control["words"] if control else ", ".join(resolved.params.getlist(name))
        chips.append({"label": label, "words": words, "without": without(resolved, name)})
    return chips


def without(resolved: Resolved, name: str) -> str:
    """Return the address of the list without one parameter; one that the view sets stays there empty (0 queries)."""
    rest = resolved.params.copy()
    if resolved.view is not None:
        rest[name] = ""
    else:
        del rest[name]
    return f"?{rest.urlencode() or f'view={NO_VIEW}'}"


def carried(resolved: Resolved, controls: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the parameters that have no control, for the filter form to take along (0 queries)."""
    named = {"search", *(control["name"] for control in controls)}
    return [(name, value) for name, values in resolved.params.lists() if name not in named for value in values]
