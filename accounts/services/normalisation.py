"""One written form for what people and files write in many: domains, addresses, numbers, names."""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

import phonenumbers

from segmentation_crm.common.models import Organisation

# Numbers that were found valid just now: what cleans a file's cell and what saves the record both ask.
_in_e164: set[str] = set()
_REMEMBERED = 4096
_DOMAIN = re.compile(r"^(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+$")
_EMAIL = re.compile(r"^[^\s@\"(),:;<>\[\]\\]{1,64}@[^\s@]+$")

# Providers whose addresses say nothing about a company; the list in force stands in the organisation's settings.
DEFAULT_FREE_MAIL = (
    "126.com", "163.com", "aol.com", "fastmail.com", "free.fr", "gmail.com", "gmx.at", "gmx.ch", "gmx.com", "gmx.de",
    "gmx.net", "googlemail.com", "hotmail.co.uk", "hotmail.com", "hotmail.de", "hotmail.fr", "icloud.com", "inbox.lv",
    "laposte.net", "libero.it", "live.com", "mac.com", "mail.com", "mail.ru", "me.com", "msn.com", "naver.com",
    "orange.fr", "outlook.com", "outlook.de", "pm.me", "posteo.de", "proton.me", "protonmail.com", "qq.com",
    "rediffmail.com", "seznam.cz", "t-online.de", "tutanota.com", "wanadoo.fr", "web.de", "wp.pl", "yahoo.co.in",
    "yahoo.co.jp", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.com", "yandex.ru", "ymail.com",
    "zoho.com",
)  # fmt: skip


def tidy(text: str) -> str:
    """Return the text trimmed, runs of blanks as one, in NFC."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@lru_cache(maxsize=8192)
def normalise_domain(text: str) -> str:
    """Return the domain of a web address, e-mail address or domain: lower case, ASCII, without www.; "" if none."""
    text = unicodedata.normalize("NFC", text).strip().lower()
    if not text:
        return ""
    if "@" in text and "/" not in text:
        text = text.rpartition("@")[2]
    try:
        host = urlsplit(text if "//" in text else f"//{text}").hostname or ""
        host = host.rstrip(".").encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return ""
    host = host.removeprefix("www.")
    return host if len(host) <= 253 and _DOMAIN.match(host) else ""


def normalise_email(text: str) -> str:
    """Return the e-mail address in lower case, without mailto: and blanks; "" where it is none."""
    text = unicodedata.normalize("NFC", text).strip().lower().removeprefix("mailto:").strip()
    return text if len(text) <= 254 and _EMAIL.match(text) and normalise_domain(text) else ""


def email_domain(email: str) -> str:
    """Return the domain of an address, "" where there is none."""
    return normalise_domain(email) if "@" in email else ""


def normalise_phone(text: str, country: str = "") -> str:
    """Return the number in E.164 where it is valid (a local number needs the country), else the tidied text."""
    text = tidy(text)
    if not text or text in _in_e164:
        return text
    try:
        number = phonenumbers.parse(text, country or None)
    except phonenumbers.NumberParseException:
        return text
    if not phonenumbers.is_valid_number(number):
        return text
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension:
        return f"{e164} ext. {number.extension}"
    if len(_in_e164) >= _REMEMBERED:
        _in_e164.clear()
    _in_e164.add(e164)
    return e164


def free_mail_domains() -> frozenset[str]:
    """Return the free-mail providers in force: the organisation's, else the delivered list (1 query)."""
    return frozenset(Organisation.current().free_mail_domains or DEFAULT_FREE_MAIL)
