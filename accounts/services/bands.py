"""Bands of employees and revenue, size classes: always from the figure where it is known."""

from collections.abc import Mapping
from decimal import Decimal

from ..choices import EmployeeBand, RevenueBand, SizeClass

MILLION = Decimal(1_000_000)
# The greatest employee count of each band; the greatest revenue, excluded, of each band.
EMPLOYEE_LIMITS = (
    (10, EmployeeBand.FROM_1),
    (50, EmployeeBand.FROM_11),
    (200, EmployeeBand.FROM_51),
    (500, EmployeeBand.FROM_201),
    (1000, EmployeeBand.FROM_501),
    (5000, EmployeeBand.FROM_1001),
    (10000, EmployeeBand.FROM_5001),
)
REVENUE_LIMITS = (
    (1 * MILLION, RevenueBand.BELOW_1M),
    (10 * MILLION, RevenueBand.FROM_1M),
    (50 * MILLION, RevenueBand.FROM_10M),
    (250 * MILLION, RevenueBand.FROM_50M),
    (1000 * MILLION, RevenueBand.FROM_250M),
)


def employee_band(count: int | None) -> str:
    """Return the band of an employee count; "" for none or 0, which lies in no band."""
    if not count:
        return ""
    return str(next((band for limit, band in EMPLOYEE_LIMITS if count <= limit), EmployeeBand.FROM_10001))


def revenue_band(amount: Decimal | None) -> str:
    """Return the band of a revenue in the organisation's currency; "" for none. A band's upper bound is excluded."""
    if amount is None:
        return ""
    return str(next((band for limit, band in REVENUE_LIMITS if amount < limit), RevenueBand.ABOVE_1B))


def size_class(count: int | None, limits: Mapping[str, int]) -> str:
    """Return the size class of an employee count by the organisation's limits; "" where the count is unknown."""
    if count is None:
        return ""
    for name in (SizeClass.MICRO, SizeClass.SMALL, SizeClass.MID_MARKET):
        if count <= limits[name]:
            return str(name)
    return str(SizeClass.ENTERPRISE)
