"""The secrets that sign messages: made here, shown once, kept encrypted; and the signature itself."""

import base64
import hashlib
import hmac
import secrets as randomness

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

PREFIX = "whsec_"
BYTES = 32


class UnreadableSecret(Exception):
    """The stored secret cannot be read: the server's SECRET_KEY has changed without a fallback."""


def new_secret() -> str:
    """Return a new secret as receivers enter it: whsec_ and 32 random bytes in base64."""
    return PREFIX + base64.b64encode(randomness.token_bytes(BYTES)).decode()


def sealed(secret: str) -> str:
    """Return the secret as it is stored."""
    return _box().encrypt(secret.encode()).decode()


def opened(stored: str) -> str:
    """Return a stored secret.

    Raises UnreadableSecret.
    """
    try:
        return _box().decrypt(stored.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret from None


def _box() -> MultiFernet:
    """Return the lock made of SECRET_KEY; the fallbacks still open what they closed."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"webhook-secrets:" + key.encode()).digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of Standard Webhooks, version 1: HMAC-SHA256 over id, time and body."""
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
