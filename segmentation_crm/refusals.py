"""What the product refuses to start with unless DEBUG is on: secrets that can be guessed, hosts left open."""

from collections.abc import Sequence

from django.core.exceptions import ImproperlyConfigured

SHORTEST_KEY = 50
FEWEST_CHARACTERS = 10
# Words of keys that stand in documentation and templates.
PLACEHOLDERS = ("django-insecure", "change-me", "changeme", "change_me", "your-secret", "example")


def check_production(*, debug: bool, secret_keys: Sequence[str], hosts: Sequence[str]) -> None:
    """Refuse settings that are safe for nobody but a developer.

    Raises ImproperlyConfigured naming the variable and what would be right.
    """
    if debug:
        return
    for key in secret_keys:
        is_placeholder = any(word in key.lower() for word in PLACEHOLDERS)
        if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS or is_placeholder:
            raise ImproperlyConfigured(
                "SECRET_KEY (and each of SECRET_KEY_FALLBACKS) must be at least 50 random characters. Make one with: "
                'python -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
    if any(host.strip() in ("*", ".") for host in hosts):
        raise ImproperlyConfigured('ALLOWED_HOSTS must name the hosts, such as crm.example.com; "*" is not allowed.')
