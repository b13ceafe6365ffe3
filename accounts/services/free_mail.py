"""The free-mail list: domains whose addresses say nothing about a company."""

import re

from django.core.exceptions import ValidationError

from .normalisation import DEFAULT_FREE_MAIL, normalise_domain

MAX_DOMAINS = 20_000


def domains_of(text: str) -> list[str]:
    """Return the domains of a text, one a line or parted by commas and blanks; lower case, IDNA, each once, sorted.

    Raises ValidationError naming what is no domain.
    """
    found: dict[str, None] = {}
    wrong = []
    for word in re.split(r"[\s,;]+", text):
        if not word:
            continue
        domain = normalise_domain(word.removeprefix("@").removeprefix("*."))
        if domain:
            found[domain] = None
        else:
            wrong.append(word[:60])
    if wrong:
        more = f" and {len(wrong) - 5} more" if len(wrong) > 5 else ""
        raise ValidationError({"domains": f"No domain: {', '.join(wrong[:5])}{more}. Write each like gmail.com."})
    if not found:
        raise ValidationError({"domains": "Keep at least one domain, or take back the list that is delivered."})
    if len(found) > MAX_DOMAINS:
        raise ValidationError({"domains": f"At most {MAX_DOMAINS:,} domains."})
    return sorted(found)


def delivered() -> list[str]:
    """Return the list as delivered."""
    return sorted(DEFAULT_FREE_MAIL)
