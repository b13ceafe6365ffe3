"""What the generated records hold: values at every edge that a rule can fall off."""

import datetime as dt
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/New_York")
# A Sunday afternoon in New York, five months after a leap day; the day before, clocks had not yet changed.
AS_OF = dt.datetime(2024, 7, 14, 17, 30, 5, 123456, tzinfo=dt.UTC)
TODAY = AS_OF.astimezone(ZONE).date()

TEXTS = [
    "",
    "  ",
    "MÜLLER",
    "müller",
    "Mu\u0308ller",
    "Straße",
    "STRASSE",
    "İstanbul",
    "istanbul",
    "100%",
    "100_",
    "1000",
    "a\\b",
    'O\'Reilly "x"',
    "VP Sales",
    " vp sales ",
    "SVP-Sales",
    "vpsales",
    "日本 語",
    "Łódź",
    "e\u0301t\u00e9",
    "C++ (senior)",
    "[x]{y}^$.|?*+",
    "ﬁne",
    "Ωmega ς",
]
INTEGERS = [None, None, 0, 1, 2, 3, 10, 11, 50, 51, 200, 201, 1000, 5000, 10001, 2_000_000_000]
DECIMAL_TEXTS = ["0", "0.1", "0.2", "0.3", "0.7", "1", "1.0050", "2.5", "33.3333", "99.9999", "1000000"]
DECIMAL_TEXTS += ["123456789.1234", "-5", "-0.1"]
DECIMALS: list[Any] = [
    None,
    None,
    *map(Decimal, DECIMAL_TEXTS),
]
FRACTIONS: list[Any] = [None, *(Decimal(text) for text in ["0", "0.1", "0.25", "0.333333", "0.5", "0.65", "1"])]
PERCENTS: list[Any] = [None, *(Decimal(text) for text in ["0", "0.01", "12.5", "25", "33.33", "99.99", "100"])]
DATES: list[Any] = [
    None,
    None,
    *(TODAY + dt.timedelta(days=n) for n in (-400, -366, -365, -91, -90, -89, -31, -30, -8, -7, -6, -1, 0, 1, 6)),
    *(TODAY + dt.timedelta(days=n) for n in (7, 8, 29, 30, 31, 90, 365)),
    *(dt.date(*parts) for parts in ((1900, 1, 1), (2000, 2, 29), (2023, 2, 28), (2024, 2, 29), (2024, 3, 31))),
    *(dt.date(*parts) for parts in ((2023, 7, 1), (2024, 4, 1), (2024, 6, 30), (2023, 12, 31), (9999, 12, 31))),
]


def _midnight(days: int) -> dt.datetime:
    day = TODAY + dt.timedelta(days=days)
    return dt.datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(dt.UTC)


TICK = dt.timedelta(microseconds=1)
MOMENTS: list[Any] = [
    None,
    None,
    AS_OF,
    AS_OF - TICK,
    AS_OF + dt.timedelta(hours=1),
    *(_midnight(n) for n in (-366, -91, -90, -30, -7, -1, 0, 1, 7, 30)),
    *(_midnight(n) - TICK for n in (-90, -30, -7, 0, 1, 8, 31)),
    *(_midnight(n) + dt.timedelta(hours=9) for n in (-500, -200, -60, -14, -3, 0, 2)),
    dt.datetime(2024, 3, 10, 6, 59, 59, tzinfo=dt.UTC),
    dt.datetime(2023, 2, 28, 12, tzinfo=dt.UTC),
    dt.datetime(2020, 2, 29, 23, tzinfo=dt.UTC),
    dt.datetime(1970, 1, 1, tzinfo=dt.UTC),
    dt.datetime(9999, 12, 31, 12, tzinfo=dt.UTC),
]
PAST_MOMENTS = [moment for moment in MOMENTS if moment is not None and moment < AS_OF]
