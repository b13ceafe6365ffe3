"""Closed lists of accounts."""

from django.db import models


class AccountType(models.TextChoices):
    """What the company is to us."""

    PROSPECT = "prospect", "Prospect"
    CUSTOMER = "customer", "Customer"
    PARTNER = "partner", "Partner"
    RESELLER = "reseller", "Reseller"
    SUPPLIER = "supplier", "Supplier"
    COMPETITOR = "competitor", "Competitor"
    INTERNAL = "internal", "Internal"


class Scope(models.TextChoices):
    """How far the company's business reaches."""

    GLOBAL = "global", "Global"
    MULTINATIONAL = "multinational", "Multinational"
    NATIONAL = "national", "National"
    REGIONAL = "regional", "Regional"
    LOCAL = "local", "Local"


class EmployeeBand(models.TextChoices):
    """Bands of the employee count."""

    FROM_1 = "1-10", "1–10"
    FROM_11 = "11-50", "11–50"
    FROM_51 = "51-200", "51–200"
    FROM_201 = "201-500", "201–500"
    FROM_501 = "501-1000", "501–1,000"
    FROM_1001 = "1001-5000", "1,001–5,000"
    FROM_5001 = "5001-10000", "5,001–10,000"
    FROM_10001 = "10001+", "10,001 and more"


class RevenueBand(models.TextChoices):
    """Bands of the annual revenue, in the organisation's currency."""

    BELOW_1M = "<1M", "Below 1 M"
    FROM_1M = "1-10M", "1–10 M"
    FROM_10M = "10-50M", "10–50 M"
    FROM_50M = "50-250M", "50–250 M"
    FROM_250M = "250M-1B", "250 M – 1 B"
    ABOVE_1B = ">1B", "Above 1 B"


class SizeClass(models.TextChoices):
    """Size computed from the employee count; the limits stand in the organisation's settings."""

    MICRO = "micro", "Micro"
    SMALL = "small", "Small"
    MID_MARKET = "mid_market", "Mid-market"
    ENTERPRISE = "enterprise", "Enterprise"


class CompanyType(models.TextChoices):
    """Size as stated by the company or a person."""

    STARTUP = "startup", "Startup"
    SMB = "smb", "SMB"
    MID_MARKET = "mid_market", "Mid-market"
    ENTERPRISE = "enterprise", "Enterprise"


class GrowthStage(models.TextChoices):
    """Where the company stands in its growth."""

    SEED = "seed", "Seed"
    EARLY = "early", "Early"
    GROWTH = "growth", "Growth"
    SCALE_UP = "scale_up", "Scale-up"
    MATURE = "mature", "Mature"
    DECLINING = "declining", "Declining"
    TURNAROUND = "turnaround", "Turnaround"


class Ownership(models.TextChoices):
    """Who owns the company."""

    PUBLIC = "public", "Public"
    PRIVATE = "private", "Private"
    PRIVATE_EQUITY = "private_equity", "Private equity"
    SUBSIDIARY = "subsidiary", "Subsidiary"
    GOVERNMENT = "government", "Government"
    NON_PROFIT = "non_profit", "Non-profit"
    COOPERATIVE = "cooperative", "Cooperative"
    FAMILY = "family", "Family"


class PurchasingPolicy(models.TextChoices):
    """How the company buys."""

    TENDER = "tender", "Tender"
    FRAMEWORK = "framework", "Framework"
    APPROVED_VENDOR = "approved_vendor", "Approved vendor"
    DIRECT = "direct", "Direct"
    MARKETPLACE = "marketplace", "Marketplace"


class PurchaseCentralisation(models.TextChoices):
    """Where the company decides on purchases."""

    CENTRAL = "central", "Central"
    FEDERATED = "federated", "Federated"
    LOCAL = "local", "Local"


class BuyingCriterion(models.TextChoices):
    """What decides a purchase."""

    PRICE = "price", "Price"
    QUALITY = "quality", "Quality"
    DELIVERY = "delivery", "Delivery"
    SECURITY = "security", "Security"
    COMPLIANCE = "compliance", "Compliance"
    SUPPORT = "support", "Support"
    INTEGRATION = "integration", "Integration"
    INNOVATION = "innovation", "Innovation"


class Relationship(models.TextChoices):
    """How the company buys from us today."""

    NONE = "none", "None"
    TRANSACTIONAL = "transactional", "Transactional"
    PREFERRED = "preferred", "Preferred"
    SOLE_SOURCE = "sole_source", "Sole source"
    PARTNER = "partner", "Partner"


class PowerCentre(models.TextChoices):
    """Which function decides."""

    ENGINEERING = "engineering", "Engineering"
    FINANCE = "finance", "Finance"
    OPERATIONS = "operations", "Operations"
    MARKETING = "marketing", "Marketing"
    EXECUTIVE = "executive", "Executive"
    PROCUREMENT = "procurement", "Procurement"


class Urgency(models.TextChoices):
    """How urgent the need is."""

    LOW = "low", "Low"
    NORMAL = "normal", "Normal"
    HIGH = "high", "High"


class Month(models.TextChoices):
    """Months of the year, for seasonality."""

    JAN = "01", "January"
    FEB = "02", "February"
    MAR = "03", "March"
    APR = "04", "April"
    MAY = "05", "May"
    JUN = "06", "June"
    JUL = "07", "July"
    AUG = "08", "August"
    SEP = "09", "September"
    OCT = "10", "October"
    NOV = "11", "November"
    DEC = "12", "December"


class DigitalMediaUse(models.TextChoices):
    """How much the company uses digital media."""

    NONE = "none", "None"
    LOW = "low", "Low"
    MEDIUM = "medium", "Medium"
    HIGH = "high", "High"


class AccountLifecycle(models.TextChoices):
    """Where the account stands on its way to becoming a customer."""

    TARGET = "target", "Target"
    AWARE = "aware", "Aware"
    ENGAGED = "engaged", "Engaged"
    MQA = "mqa", "MQA"
    OPPORTUNITY = "opportunity", "Opportunity"
    CUSTOMER = "customer", "Customer"
    FORMER = "former", "Former customer"


class Tier(models.TextChoices):
    """How much attention the account deserves."""

    ONE = "1", "Tier 1"
    TWO = "2", "Tier 2"
    THREE = "3", "Tier 3"
    UNQUALIFIED = "unqualified", "Unqualified"


class TierSource(models.TextChoices):
    """Who set the tier."""

    RULE = "rule", "By rule"
    MANUAL = "manual", "By hand"


class Sophistication(models.TextChoices):
    """How much the account knows of its problem and of us."""

    UNAWARE = "unaware", "Unaware"
    PROBLEM_AWARE = "problem_aware", "Problem-aware"
    SOLUTION_AWARE = "solution_aware", "Solution-aware"
    PRODUCT_AWARE = "product_aware", "Product-aware"
    MOST_AWARE = "most_aware", "Most-aware"
