"""Log-in rules on top of allauth: accounts are made by admins, never by signing up."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.utils import filter_users_by_email
from django.contrib.auth.base_user import AbstractBaseUser
from django.http import HttpRequest

from .models import User


class ClosedSignupAdapter(DefaultAccountAdapter):
    """Closes self-registration; an admin creates users."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Return False: nobody signs up by themselves."""
        return False


class EvenBackend(AuthenticationBackend):
    """Log-in by username or e-mail with one look at a password hash, whether or not the person exists.

    allauth's own looks twice at a known e-mail address and once for an unknown one: the time would tell them apart.
    """

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> AbstractBaseUser | None:
        name = str(credentials.get("username") or "")
        email = str(credentials.get("email") or name)
        user = User.objects.filter(username__iexact=name).order_by("-is_active", "pk").first() if name else None
        if user is None and "@" in email:
            found = filter_users_by_email(email, prefer_verified=True)
            # Whose own address it is comes before who has only added it to a profile.
            found.sort(key=lambda person: (person.email.lower() != email.lower(), person.pk))
            user = found[0] if found else None
        return self._check_password(user, str(credentials.get("password") or ""))
