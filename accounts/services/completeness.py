"""How complete a record is: the share of its everyday fields that are filled."""

from decimal import Decimal
from typing import Any

from ..models import Account, Contact

# One entry counts once; of a tuple any one filled field is enough.
ACCOUNT_FIELDS: tuple[str | tuple[str, ...], ...] = (
    "name",
    "domain",
    "phone",
    "city",
    "country",
    ("industry_id", "sic_code_id", "naics_code_id"),
    ("employee_count", "employee_band"),
    ("annual_revenue", "revenue_band"),
    "ownership",
    "founded_year",
    "owner_id",
    "lifecycle_stage",
)
CONTACT_FIELDS: tuple[str | tuple[str, ...], ...] = (
    "first_name",
    "last_name",
    "email",
    ("phone", "mobile"),
    "account_id",
    "job_title",
    "seniority",
    "department",
    "country",
    "language",
    "owner_id",
    "lifecycle_stage",
)


def completeness(record: Account | Contact) -> Decimal:
    """Return the share of everyday fields that are filled, in per cent with two places."""
    wanted = ACCOUNT_FIELDS if isinstance(record, Account) else CONTACT_FIELDS
    filled = sum(any(_is_filled(record, name) for name in ([one] if isinstance(one, str) else one)) for one in wanted)
    return (Decimal(100 * filled) / len(wanted)).quantize(Decimal("0.01"))


def _is_filled(record: Any, name: str) -> bool:
    value = getattr(record, name)
    return value is not None and str(value).strip() != ""
