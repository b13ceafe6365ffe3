"""Countries, currencies and languages by exact name or code; never by likeness."""

from functools import cache

import pycountry
from babel import Locale

from segmentation_crm.common.folding import fold

# Names in common use that ISO 3166 and CLDR do not hold.
_ALIASES = {
    "uk": "GB",
    "u.k.": "GB",
    "great britain": "GB",
    "britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "us": "US",
    "u.s.": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "the united states": "US",
    "america": "US",
    "russia": "RU",
    "turkey": "TR",
    "korea": "KR",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "south korea": "KR",
    "republic of korea": "KR",
    "north korea": "KP",
    "ivory coast": "CI",
    "cape verde": "CV",
    "swaziland": "SZ",
    "burma": "MM",
    "macedonia": "MK",
    "uae": "AE",
    "brunei": "BN",
    "palestine": "PS",
    "vatican": "VA",
    "micronesia": "FM",
    "congo": "CG",
    "east timor": "TL",
    "hong kong": "HK",
    "macau": "MO",
    "macao": "MO",
}


@cache
def _countries() -> dict[str, str]:
    names: dict[str, str] = {}
    for code, name in Locale("en").territories.items():
        if len(code) == 2 and pycountry.countries.get(alpha_2=code):
            names[fold(name)] = code
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name", "alpha_2", "alpha_3"):
            text = getattr(country, attribute, None)
            if text:
                names[fold(text)] = country.alpha_2
    names.update(_ALIASES)
    return names


def country_code(text: str) -> str:
    """Return the ISO 3166-1 alpha-2 code of a country's name or code, "" where it is none."""
    return _countries().get(fold(text), "")


@cache
def _languages() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in pycountry.languages:
        code = getattr(language, "alpha_2", None)
        if code:
            names[fold(language.name)] = code
            names[fold(language.alpha_3)] = code
            names[code] = code
    for code, name in Locale("en").languages.items():
        if code in names:
            names[fold(name)] = code
    return names


def language_code(text: str) -> str:
    """Return the BCP-47 tag of a language's name or tag, "" where it is none."""
    found = _languages().get(fold(text), "")
    if found:
        return found
    primary, _, rest = text.strip().replace("_", "-").partition("-")
    if rest and _languages().get(fold(primary)) == fold(primary) and rest.replace("-", "").isalnum():
        return f"{primary.lower()}-{rest.upper() if len(rest) == 2 else rest}"
    return ""


@cache
def _currencies() -> frozenset[str]:
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


def is_currency(code: str) -> bool:
    """Tell whether the code is of ISO 4217."""
    return code in _currencies()


@cache
def _subdivisions() -> frozenset[str]:
    return frozenset(subdivision.code for subdivision in pycountry.subdivisions)


@cache
def _subdivision_names() -> dict[tuple[str, str], str]:
    return {(s.country_code, fold(s.name)): s.code for s in pycountry.subdivisions}


def subdivision_code(text: str, country: str) -> str:
    """Return the ISO 3166-2 code of a subdivision's code or exact name within its country, "" where it is none."""
    text = text.strip()
    for code in (text.upper(), f"{country}-{text.upper()}"):
        if code in _subdivisions():
            return code
    return _subdivision_names().get((country, fold(text)), "")
