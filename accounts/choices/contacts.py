"""Closed lists of contacts, buying roles and consent."""

from django.db import models


class Seniority(models.TextChoices):
    """The level of a job title."""

    C_LEVEL = "c_level", "C-level"
    VP = "vp", "VP"
    DIRECTOR = "director", "Director"
    MANAGER = "manager", "Manager"
    INDIVIDUAL = "individual", "Individual"
    OTHER = "other", "Other"


class Department(models.TextChoices):
    """The function a person works in."""

    EXECUTIVE = "executive", "Executive"
    IT = "it", "IT"
    ENGINEERING = "engineering", "Engineering"
    FINANCE = "finance", "Finance"
    OPERATIONS = "operations", "Operations"
    MARKETING = "marketing", "Marketing"
    SALES = "sales", "Sales"
    PROCUREMENT = "procurement", "Procurement"
    LEGAL = "legal", "Legal"
    HR = "hr", "HR"
    OTHER = "other", "Other"


class BuyingRole(models.TextChoices):
    """The part a person plays in a purchase."""

    EXECUTIVE_SPONSOR = "executive_sponsor", "Executive sponsor"
    DECISION_MAKER = "decision_maker", "Decision maker"
    ECONOMIC_BUYER = "economic_buyer", "Economic buyer"
    FINANCIAL_APPROVER = "financial_approver", "Financial approver"
    TECHNICAL_DECISION_MAKER = "technical_decision_maker", "Technical decision maker"
    CHAMPION = "champion", "Champion"
    INFLUENCER = "influencer", "Influencer"
    INITIATOR = "initiator", "Initiator"
    END_USER = "end_user", "End user"
    PROCUREMENT = "procurement", "Procurement"
    LEGAL_COMPLIANCE = "legal_compliance", "Legal and compliance"
    GATEKEEPER = "gatekeeper", "Gatekeeper"
    BLOCKER = "blocker", "Blocker"


class RoleGroup(models.TextChoices):
    """The group a buying role belongs to."""

    EXECUTIVE = "executive", "Executive"
    TECHNICAL = "technical", "Technical"
    FINANCIAL = "financial", "Financial"
    USER = "user", "User"
    OTHER = "other", "Other"


class ContactLifecycle(models.TextChoices):
    """Where the contact stands on the way to becoming a customer."""

    SUBSCRIBER = "subscriber", "Subscriber"
    LEAD = "lead", "Lead"
    MQL = "mql", "MQL"
    SAL = "sal", "SAL"
    SQL = "sql", "SQL"
    OPPORTUNITY = "opportunity", "Opportunity"
    CUSTOMER = "customer", "Customer"
    EVANGELIST = "evangelist", "Evangelist"


class LeadStatus(models.TextChoices):
    """How the work on a lead stands."""

    NEW = "new", "New"
    ATTEMPTING = "attempting", "Attempting"
    CONNECTED = "connected", "Connected"
    WORKING = "working", "Working"
    NURTURE = "nurture", "Nurture"
    RECYCLED = "recycled", "Recycled"
    UNQUALIFIED = "unqualified", "Unqualified"


class RiskAppetite(models.TextChoices):
    """How a person takes risks."""

    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class Deliverability(models.TextChoices):
    """Whether the e-mail address takes mail."""

    UNKNOWN = "unknown", "Unknown"
    VALID = "valid", "Valid"
    SOFT_BOUNCE = "soft_bounce", "Soft bounce"
    HARD_BOUNCE = "hard_bounce", "Hard bounce"
    COMPLAINED = "complained", "Complained"


class ContactRelation(models.TextChoices):
    """What ties a contact to an account."""

    EMPLOYEE = "employee", "Employee"
    FORMER_EMPLOYEE = "former_employee", "Former employee"
    BOARD_MEMBER = "board_member", "Board member"
    CONSULTANT = "consultant", "Consultant"
    INVESTOR = "investor", "Investor"
    PARTNER = "partner", "Partner"
    OTHER = "other", "Other"


class ConsentStatus(models.TextChoices):
    """What the person said."""

    GRANTED = "granted", "Granted"
    PENDING = "pending", "Pending"
    DENIED = "denied", "Denied"
    WITHDRAWN = "withdrawn", "Withdrawn"


class LegalBasis(models.TextChoices):
    """Why the data may be used."""

    CONSENT = "consent", "Consent"
    CONTRACT = "contract", "Contract"
    LEGITIMATE_INTEREST = "legitimate_interest", "Legitimate interest"
    LEGAL_OBLIGATION = "legal_obligation", "Legal obligation"
    VITAL_INTEREST = "vital_interest", "Vital interest"
    PUBLIC_TASK = "public_task", "Public task"


# Each buying role belongs to one group; committee completeness counts groups.
ROLE_GROUPS: dict[str, str] = {
    BuyingRole.EXECUTIVE_SPONSOR: RoleGroup.EXECUTIVE,
    BuyingRole.DECISION_MAKER: RoleGroup.EXECUTIVE,
    BuyingRole.ECONOMIC_BUYER: RoleGroup.FINANCIAL,
    BuyingRole.FINANCIAL_APPROVER: RoleGroup.FINANCIAL,
    BuyingRole.TECHNICAL_DECISION_MAKER: RoleGroup.TECHNICAL,
    BuyingRole.CHAMPION: RoleGroup.USER,
    BuyingRole.INFLUENCER: RoleGroup.OTHER,
    BuyingRole.INITIATOR: RoleGroup.USER,
    BuyingRole.END_USER: RoleGroup.USER,
    BuyingRole.PROCUREMENT: RoleGroup.FINANCIAL,
    BuyingRole.LEGAL_COMPLIANCE: RoleGroup.OTHER,
    BuyingRole.GATEKEEPER: RoleGroup.OTHER,
    BuyingRole.BLOCKER: RoleGroup.OTHER,
}


def role_group(role: str) -> str:
    """Return the group of a buying role, "other" for an unknown one."""
    return str(ROLE_GROUPS.get(role, RoleGroup.OTHER))
