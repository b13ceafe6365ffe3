"""Log-in by API token: `Authorization: Token …`."""

from datetime import timedelta
from hmac import compare_digest

from django.utils import timezone
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework import exceptions

from ..models import ApiToken, User

LAST_USED_GRAIN = timedelta(minutes=1)


class ApiTokenAuthentication(TokenAuthentication):
    """Find the user of a token; the token itself is `request.auth`, whose scopes `RolePermission` reads.

    An expired token is refused and kept, so that its owner still sees it on the profile page.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Return user and token (1 query; 1 more at most once a minute, for `last_used_at`).

        Raises AuthenticationFailed with one message for unknown, expired and inactive, so that nothing is told apart.
        """
        refused = exceptions.AuthenticationFailed("The API token is unknown, expired or revoked.")
        try:
            text = token.decode("ascii")
        except UnicodeDecodeError:
            raise refused from None
        if not text.isprintable():
            # A NUL would make PostgreSQL refuse the query itself.
            raise refused
        digest = hash_token(text)
        now = timezone.now()
        candidates = ApiToken.objects.select_related("user").filter(token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH])
        for candidate in candidates:
            if not compare_digest(digest, candidate.digest):
                continue
            if (candidate.expiry is not None and candidate.expiry <= now) or not candidate.user.is_active:
                raise refused
            self._note_use(candidate, now)
            return candidate.user, candidate
        raise refused

    @staticmethod
    def _note_use(token: ApiToken, now) -> None:
        """Keep when the token was last used, to the minute, so that reading does not write at every call."""
        if token.last_used_at is None or now - token.last_used_at >= LAST_USED_GRAIN:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
            token.last_used_at = now
