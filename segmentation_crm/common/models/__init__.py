"""Models of the leaf app, one module per noun."""

from .audit import AuditEntry
from .jobs import Job, JobState
from .organisation import Organisation
from .saved_views import SavedView
from .schedule import Heartbeat, ScheduleSlot
from .tokens import ApiToken
from .users import Role, Team, Territory, User

__all__ = [
    "ApiToken",
    "AuditEntry",
    "Heartbeat",
    "Job",
    "JobState",
    "Organisation",
    "Role",
    "SavedView",
    "ScheduleSlot",
    "Team",
    "Territory",
    "User",
]
