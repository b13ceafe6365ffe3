"""The table on the screen and the JSON in docs/bench."""

import json
import os
import platform
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.db import connection

from .measure import Result
from .rows import BUDGET_MS
from .sizes import Sizes

ROOT = Path(__file__).resolve().parents[2]
# Rows of the budgets whose parts of the product are not there yet, or that this bench does not measure yet.
NOT_RUN = {
    1: "builder: change one condition, all node counts exact",
    2: "builder: change only structure",
    3: "1,000 touched contacts × 100 segments, incremental refresh",
    4: "events at 500/s: posted -> membership",
    5: "event ingestion with capture on",
    6: "full rebuild of the 100 segments",
    7: "full recompute of one score model",
    8: "import 1 M contacts",
    10: "performance of 100 segments, one snapshot",
    11: "growth from 100 k to 1 M contacts",
}
LACKS = "campaigns with dated spend, the 100 segments of segments.json, monthly membership states"


def line(result: Result) -> str:
    """Return one line of the table."""
    mark = "" if result.is_within else " over budget" if result.status == 200 else f" HTTP {result.status}"
    truth = "" if result.check is None else " = SQL" if result.is_true else " DIFFERS FROM SQL"
    return (
        f"{result.name[:44]:<44} {result.user.removeprefix('bench.'):<8} {result.p50:>8.1f} {result.p95:>8.1f} "
        f"{result.worst:>8.1f} {result.cold:>8.1f} {result.cpu:>7.1f} {result.queries:>4}{mark}{truth}"
    )


def heading() -> str:
    """Return the head of the table."""
    return f"{'page':<44} {'user':<8} {'p50 ms':>8} {'p95 ms':>8} {'worst':>8} {'cold':>8} {'cpu':>7} {'sql':>4}"


def as_dict(results: Sequence[Result], sizes: Sizes, built: float | None) -> dict[str, Any]:
    """Return the whole report."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        (version,) = cursor.fetchone()
        cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    return {
        "commit": _commit(),
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 1), "niceness": os.nice(0),
            "python": platform.python_version(), "postgresql": version, "database_bytes": size,
        },
        "world": sizes.as_dict() | {"lacks": LACKS, "built_in_seconds": None if built is None else round(built, 1)},
        "method": "Django's test client in process, cache in process; cold = the first request of that row",
        "rows": {
            "9": {
                "budget_p95_ms": BUDGET_MS,
                "within": sum(one.is_within for one in results),
                "of": len(results),
                "pages": [vars(one) for one in results],
            }
        }
        | {str(number): {"name": name, "result": "not run"} for number, name in NOT_RUN.items()},
    }  # fmt: skip


def write(report: dict[str, Any], folder: str) -> Path:
    """Write the report as JSON, one file for each size of the world."""
    path = ROOT / folder / f"pages-{report['world']['contacts']}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return path


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )  # fmt: skip
    return found.stdout.strip() or "unknown"
