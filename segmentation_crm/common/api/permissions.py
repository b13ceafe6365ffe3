"""Who may call what: one permission class, driven by the role's capabilities and the token's scopes."""

from typing import TYPE_CHECKING

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from ..access import can
from ..models import ApiToken

if TYPE_CHECKING:
    from rest_framework.views import APIView


class RolePermission(BasePermission):
    """Logged in, the role holds the capability of the method, and the token (if any) its scope.

    A view says what it needs by attributes, all optional:
    `read_capability` (none), `write_capability` ("records.write"), `delete_capability` ("records.delete"),
    `action_capabilities` {action: capability or ""}, `read_scope` ("read"), `write_scope` ("write"),
    `action_scopes` {action: scope}. A POST that changes nothing (a preview) names itself in both mappings.
    """

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Tell whether the call may go on (0 queries)."""
        user = request.user
        if not user or not user.is_authenticated or not user.is_active:
            return False
        if not self._scope_allows(request, view):
            return False
        capability = self.capability(request.method or "GET", view)
        return not capability or can(user, capability)

    @staticmethod
    def capability(method: str, view: "APIView") -> str:
        """Return the capability that the method or action needs, "" for none."""
        by_action = getattr(view, "action_capabilities", {})
        action = getattr(view, "action", None)
        if action in by_action:
            return by_action[action]
        if method in SAFE_METHODS:
            return getattr(view, "read_capability", "")
        if method == "DELETE":
            return getattr(view, "delete_capability", "records.delete")
        return getattr(view, "write_capability", "records.write")

    def _scope_allows(self, request: Request, view: "APIView") -> bool:
        """Tell whether the token covers the call; a session has no scopes and covers all."""
        token = request.auth
        if not isinstance(token, ApiToken):
            return True
        action = getattr(view, "action", None)
        by_action = getattr(view, "action_scopes", {})
        if action in by_action:
            scope = by_action[action]
        elif request.method in SAFE_METHODS:
            scope = getattr(view, "read_scope", "read")
        else:
            scope = getattr(view, "write_scope", "write")
        if scope in token.scopes:
            return True
        self.message = f'This API token lacks the scope "{scope}".'
        return False
