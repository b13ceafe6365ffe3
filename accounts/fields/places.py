"""Countries and their subdivisions by ISO 3166, as choices."""

import pycountry

from segmentation_crm.common.fields import Choice


def _countries() -> tuple[Choice, ...]:
    found = (Choice(c.alpha_2, getattr(c, "common_name", c.name)) for c in pycountry.countries)
    return tuple(sorted(found, key=lambda choice: choice.label))


def _subdivisions() -> tuple[Choice, ...]:
    found = (Choice(s.code, f"{s.name} ({s.code})") for s in pycountry.subdivisions)
    return tuple(sorted(found, key=lambda choice: choice.value))


COUNTRIES = _countries()
SUBDIVISIONS = _subdivisions()
