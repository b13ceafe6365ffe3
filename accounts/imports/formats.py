"""Targets whose texts have a form of their own: countries, languages, addresses, numbers to call."""

import re
from typing import Any
from zoneinfo import available_timezones

from ..services.normalisation import normalise_domain, normalise_email, normalise_phone
from .countries import country_code, language_code, subdivision_code
from .drafts import Draft, Reading
from .problems import CellWarning
from .targets import Target, Text


class Country(Target):
    """A country by code or exact name."""

    def clean(self, text: str, reading: Reading) -> str:
        code = country_code(text)
        if not code:
            raise CellWarning(f"unknown_{self.key}", f"{text!r} is no country of ISO 3166; use a code such as DE.")
        return code


class Subdivision(Target):
    """A state or province; its code needs the row's country unless it is written in full (US-CA)."""

    def assign(self, draft: Draft, value: Any) -> None:
        code = subdivision_code(value, draft.columns.get("country", ""))
        if code:
            draft.columns[self.key] = code
        else:
            draft.warn(
                self.key, f"unknown_{self.key}", f"{value!r} is no subdivision; use a code such as US-CA.", value
            )


class Language(Target):
    """A language by tag or English name."""

    def clean(self, text: str, reading: Reading) -> str:
        tag = language_code(text)
        if not tag:
            raise CellWarning(f"unknown_{self.key}", f"{text!r} is no language; use a tag such as de or en-US.")
        return tag


class TimeZone(Target):
    """A time zone of the IANA list."""

    def clean(self, text: str, reading: Reading) -> str:
        if text not in available_timezones():
            raise CellWarning(f"unknown_{self.key}", f"{text!r} is no time zone; use a name such as Europe/Berlin.")
        return text


class Email(Text):
    """An e-mail address, in small letters."""

    def clean(self, text: str, reading: Reading) -> str:
        address = normalise_email(text)
        if not address:
            raise CellWarning(f"unreadable_{self.key}", f"{text!r} is no e-mail address.")
        return address


class Domain(Text):
    """A domain, without scheme, www and path."""

    def clean(self, text: str, reading: Reading) -> str:
        host = normalise_domain(text)
        if not host:
            raise CellWarning(f"unreadable_{self.key}", f"{text!r} is no domain; write it like example.com.")
        return host


class Url(Text):
    """A web address; only http and https."""

    def clean(self, text: str, reading: Reading) -> str:
        scheme = re.match(r"([a-zA-Z][a-zA-Z0-9+.-]*):(?!\d)", text)
        if (scheme and scheme.group(1).lower() not in ("http", "https")) or re.search(r"\s", text):
            raise CellWarning(
                f"unreadable_{self.key}", f"{text!r} is no web address; write it like https://example.com."
            )
        return super().clean(text, reading)


class Phone(Text):
    """A telephone number; E.164 where it is written with its country code, else as it stands."""

    def clean(self, text: str, reading: Reading) -> str:
        return super().clean(normalise_phone(text), reading)
