"""API tokens: hashed, several a user, each with a name, scopes, an expiry and its last use."""

from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):
    """A token of the REST API, sent as `Authorization: Token …`.

    `scopes` is a list of words of `common.access.SCOPES` ("read", "write", …).
    """

    name = models.CharField(max_length=80, default="API token")
    scopes = models.JSONField(default=list)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created"]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"
