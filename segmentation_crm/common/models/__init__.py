"""Models of the leaf app, one module per noun."""

from .audit import AuditEntry
from .bulk import BulkAct, BulkRow, BulkState
from .jobs import Job, JobState
from .organisation import Organisation
from .personal import EmailState, Export, Notification, RecentItem, SubmittedForm, UserPreference
from .saved_views import SavedView
from .schedule import Heartbeat, ScheduleSlot
from .tokens import ApiToken
from .users import Role, Team, Territory, User

__all__ = [
    "ApiToken",
    "AuditEntry",
    "BulkAct",
    "BulkRow",
    "BulkState",
    "EmailState",
    "Export",
    "Heartbeat",
    "Job",
    "JobState",
    "Notification",
    "Organisation",
    "RecentItem",
    "Role",
    "SavedView",
    "ScheduleSlot",
    "SubmittedForm",
    "Team",
    "Territory",
    "User",
    "UserPreference",
]
