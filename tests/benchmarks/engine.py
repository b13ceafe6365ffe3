"""Rows 1, 2, 3 and 6 of the budgets: the builder's counts, the incremental refresh and the full rebuild.

    python -m tests.benchmarks.engine --contacts 1000000 [--only 3]

Works on the reference world (built where it is missing) with the hundred segments of segments.json, and writes
docs/bench/engine-<contacts>.json. Every count of an edit is compared with the hand-written SQL beside it, and after the
refreshes the stored members of every segment with a fresh evaluation of its rule.
"""

import argparse
import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RULES = Path(__file__).with_name("segments.json")
NAMES = {
    "1": "builder: change one condition, all node counts exact",
    "2": "builder: change only structure",
    "3": "1,000 touched contacts × 100 segments, incremental refresh",
    "6": "full rebuild of the 100 segments",
}
BUDGETS = {
    "1": "p95 ≤ 300 ms or 1.5 × the atom's own SQL",
    "2": "p95 ≤ 30 ms",
    "3": "≤ 1 s",
    "6": "≤ 60 s, memory ≤ 600 MB",
}


def main() -> int:
    """Run the wanted rows; return 0, or 1 where a figure differs from what it is checked against."""
    from .__main__ import SERVER, _prepare

    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.engine", description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--server", default=os.environ.get("BENCH_DATABASE_URL", SERVER))
    parser.add_argument("--rebuild", action="store_true", help="drop the world and build it anew")
    parser.add_argument("--only", default="", help="rows, as 1,2,3,6")
    parser.add_argument("--out", default="docs/bench")
    options = parser.parse_args()
    # What is measured is the worker's work, under its limits.
    os.environ.setdefault("DATABASE_ROLE", "worker")
    _prepare(options)
    from .run import prepare
    from .sizes import Sizes

    sizes = Sizes(options.contacts)
    prepare(sizes)
    segments = hundred_segments()
    wanted = options.only.split(",") if options.only else list(NAMES)
    steps: dict[str, Callable[[], dict[str, Any]]] = {
        "6": full_rebuild, "1": edits, "2": structure,
        "3": lambda: refreshes(sizes.contacts, segments),
    }  # fmt: skip
    found: dict[str, Any] = {}
    for number, step in steps.items():
        if number in wanted:
            found[number] = {"name": NAMES[number], "budget": BUDGETS[number], **step()}
            print(f"row {number}, {NAMES[number]}: {_short(found[number])}", flush=True)
    if not options.only:
        print(f"Written to {write(found, sizes, options.out)}")
    return int(any(one.get("differs") for one in found.values()))


def _short(row: dict[str, Any]) -> str:
    shown = {key: value for key, value in row.items() if not isinstance(value, list) and key not in ("name",)}
    return ", ".join(f"{key} {value}" for key, value in shown.items())


def write(found: dict[str, Any], sizes: Any, folder: str) -> Path:
    """Write the JSON of one run."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    report = {
        "commit": commit.stdout.strip() or "unknown",
        "rules": hashlib.sha256(RULES.read_bytes()).hexdigest()[:16],
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "load_after": round(os.getloadavg()[0], 1)},
        "world": sizes.as_dict(),
        "rows": found,
    }
    path = ROOT / folder / f"engine-{sizes.contacts}.json"
    path.write_text(json.dumps(report, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
    return path


def hundred_segments() -> list[int]:
    """Save the hundred segments where they are missing and build them; return their keys."""
    from segmentation_crm.common.models import User
    from segments.models import Segment
    from segments.services.rebuilding import rebuild_segment
    from segments.services.saving import create_segment

    admin = User.objects.get(username="bench.admin")
    for wanted in json.loads(RULES.read_text(encoding="utf-8")):
        if not Segment.objects.filter(name=wanted["name"]).exists():
            create_segment(admin, name=wanted["name"], member_type=wanted["member_type"], rules=wanted["rules"])
    keys = list(
        Segment.objects.filter(name__startswith="Bench ", kind="dynamic").order_by("pk").values_list("pk", flat=True)
    )
    for pk in Segment.objects.filter(pk__in=keys, built_version=None).values_list("pk", flat=True):
        rebuild_segment(pk)
    _settle()
    return keys


def _settle() -> None:
    """Take whatever waits, so that a measurement starts from a world at rest."""
    from segments.services.refreshing import refresh_until_done

    refresh_until_done()


# --- Rows 1 and 2: the builder ---


def _base() -> list[dict[str, Any]]:
    return [
        {"field": "contact.seniority", "operator": "in", "value": ["c_level", "vp", "director"]},
        {"field": "account.employee_count", "operator": "gte", "value": 100},
        _activities("page_view", 3, 90),
    ]


def _activities(kind: str, least: int, days: int) -> dict[str, Any]:
    within = {"field": "activity.occurred_at", "operator": "in_last", "value": {"n": days, "unit": "day"}}
    rules = [{"field": "activity.type", "operator": "eq", "value": kind}, within]
    return {
        "field": "contact.activities", "operator": "match", "match": {"mode": "at_least", "threshold": least},
        "value": {"combinator": "and", "rules": rules},
    }  # fmt: skip


LIVE = "c.deleted_at IS NULL AND c.merged_into_id IS NULL AND c.erased_at IS NULL"
ACTIVE = (
    "SELECT contact_id FROM accounts_activity WHERE contact_id IS NOT NULL AND type = '{kind}' AND occurred_at >= "
    "(date_trunc('day', timestamptz '{at}' AT TIME ZONE '{zone}') - interval '{days} days') AT TIME ZONE '{zone}' "
    "AND occurred_at < timestamptz '{at}' GROUP BY contact_id HAVING count(*) >= {least}"
)


def _changes() -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the condition of each edit with hand-written SQL for the contacts that it alone selects."""
    for kind, least, days in (
        ("email_open", 3, 90), ("email_click", 2, 180), ("product_login", 2, 30), ("content_download", 1, 60),
        ("webinar_attended", 1, 180), ("form_submit", 1, 90), ("call", 1, 60), ("meeting", 1, 365),
    ):  # fmt: skip
        inner = ACTIVE.replace("{kind}", kind).replace("{least}", str(least)).replace("{days}", str(days))
        yield _activities(kind, least, days), f"SELECT c.id FROM accounts_contact c WHERE {LIVE} AND c.id IN ({inner})"
    for country in ("DE", "FR", "JP"):
        condition = {"field": "contact.country", "operator": "eq", "value": country}
        yield condition, f"SELECT c.id FROM accounts_contact c WHERE {LIVE} AND c.country = '{country}'"
    for role in ("champion", "economic_buyer", "decision_maker"):
        yield (
            {"field": "contact.buying_roles", "operator": "any_of", "value": [role]},
            f"SELECT c.id FROM accounts_contact c WHERE {LIVE} AND c.id IN (SELECT contact_id FROM "
            f"accounts_contactvalue WHERE field = 'buying_roles' AND token = '{role}')",
        )
    for least in (500, 1000, 5000):
        yield (
            {"field": "account.employee_count", "operator": "gte", "value": least},
            f"SELECT c.id FROM accounts_contact c JOIN accounts_account a ON a.id = c.account_id WHERE {LIVE} "
            f"AND a.deleted_at IS NULL AND a.merged_into_id IS NULL AND a.employee_count >= {least}",
        )
    open_deal = {"field": "opportunity.is_open", "operator": "is_true"}
    yield (
        {"field": "contact.opportunities", "operator": "match", "match": {"mode": "some"},
         "value": {"combinator": "and", "rules": [open_deal]}},
        f"SELECT c.id FROM accounts_contact c WHERE {LIVE} AND c.id IN (SELECT oc.contact_id FROM "
        "accounts_opportunitycontact oc JOIN accounts_opportunity o ON o.id = oc.opportunity_id JOIN accounts_stage s "
        "ON s.id = o.stage_id WHERE s.is_open AND o.deleted_at IS NULL AND o.opened_on <= date '{day}')",
    )  # fmt: skip


def edits() -> dict[str, Any]:
    """Change the last condition of one rule again and again, as in the builder, and time each count."""
    session, lines = "", []
    found, _ = _count(_base(), session)
    session, clock = found.session, found.as_of
    for condition, sql in _changes():
        found, spent = _count([*_base(), condition], session)
        own, seconds = _own_sql(sql, clock)
        node = next(one.count for one in found.nodes if one.path == ("rules", 3))
        lines.append(
            {"atom": condition["field"], "ms": round(spent, 1), "own_sql_ms": round(seconds, 1),
             "count": node, "sql_count": own, "within": spent <= max(300, 1.5 * seconds)}
        )  # fmt: skip
        print(
            f"  {condition['field']:<28} {spent:>8.1f} ms, own SQL {seconds:>8.1f} ms, {node:,} = {own:,}", flush=True
        )
    times = [line["ms"] for line in lines]
    return {
        "p50_ms": statistics.median(times), "p95_ms": _p95(times), "within": sum(line["within"] for line in lines),
        "of": len(lines), "differs": any(line["count"] != line["sql_count"] for line in lines), "edits": lines,
    }  # fmt: skip


def structure() -> dict[str, Any]:
    """Change only and, or, not, and what is taken out; every atom is known to the session."""
    one, two, three = _base()
    four = {"field": "contact.country", "operator": "eq", "value": "DE"}
    found, _ = _count([one, two, three, four], "")
    session, times = found.session, []
    shapes: list[tuple[list[dict[str, Any]], str, bool]] = []
    for negated in (False, True):
        for combinator in ("or", "and"):
            inner = {"combinator": combinator, "not": negated, "rules": [two, three]}
            shapes += [
                ([one, two, three, four], combinator, negated), ([one, inner, four], combinator, False),
                ([two, three], combinator, negated), ([four], combinator, negated),
                ([one, {"combinator": "or", "rules": [inner, four]}], "and", negated),
            ]  # fmt: skip
    for rules, combinator, negated in shapes * 2:
        _, spent = _count(rules, session, combinator, negated)
        times.append(spent)
    return {"p50_ms": round(statistics.median(times), 1), "p95_ms": _p95(times), "edits": len(times)}


def _count(
    rules: list[dict[str, Any]], session: str, combinator: str = "and", negated: bool = False
) -> tuple[Any, float]:
    """Count as the builder's request does, the checking of the rule included; return result and milliseconds."""
    from segmentation_crm.common.models import User
    from segments.services.previewing import count_rule
    from segments.services.saving import validated

    user = User.objects.get(username="bench.admin")
    root = {"combinator": combinator, "not": negated, "rules": rules}
    began = time.perf_counter()
    found = count_rule(validated(root, "contact", user), user, session=session).result
    return found, (time.perf_counter() - began) * 1000


def _own_sql(sql: str, at: datetime) -> tuple[int, float]:
    from django.db import connection

    from segments.rules.clock import Clock

    zone = Clock.at(at).zone.key
    sql = sql.replace("{at}", at.isoformat()).replace("{zone}", zone).replace("{day}", at.date().isoformat())
    with connection.cursor() as cursor:
        cursor.execute("SET work_mem = '64MB'")
        began = time.perf_counter()
        cursor.execute(f"SELECT count(*), string_agg(int8send(id), '') FROM ({sql}) AS k")
        (count, _) = cursor.fetchone()
        spent = (time.perf_counter() - began) * 1000
        cursor.execute("RESET work_mem")
    return count, spent


# --- Rows 3 and 6: membership ---


def refreshes(contacts: int, segments: list[int], rounds: int = 8) -> dict[str, Any]:
    """Touch 1,000 contacts, refresh, again and again; then compare every segment with its rule."""
    from accounts.models import Contact
    from segments.services.refreshing import refresh

    _settle()
    times, moved = [], 0
    for number in range(rounds):
        step = max(1, contacts // 1000)
        keys = range(1 + number, contacts + 1, step)[:1000]
        touched = Contact.objects.filter(pk__in=list(keys))
        # Another value than an earlier run left behind: an update that changes nothing is no change.
        before = touched.values_list("seniority", "country").order_by("pk").first() or ("", "")
        values = ("c_level", "vp", "director", "manager", "individual")
        after = values[(values.index(before[0]) + 1) % 5] if before[0] in values else values[0]
        touched.update(seniority=after, country="US" if before[1] == "DE" else "DE")
        began = time.perf_counter()
        done = refresh(wake=False)
        times.append(time.perf_counter() - began)
        moved += done.entered + done.left
    return {
        "p50_s": round(statistics.median(times), 3), "worst_s": round(max(times), 3), "cold_s": round(times[0], 3),
        "rounds": rounds, "moved": moved, "segments": len(segments), "differs": _differing(segments),
    }  # fmt: skip


def _differing(segments: list[int]) -> int:
    """Return how many segments' stored members are not whom their rule selects at the moment they answer to."""
    from segments.models import Segment
    from segments.rules.evaluate import member_bitmap
    from segments.rules.validate import validate
    from segments.services.membership import current_members
    from segments.services.refreshing import refresh

    refresh(wake=True)
    found = 0
    for segment in Segment.objects.filter(pk__in=segments):
        rule = validate(segment.rules, segment.member_type, segment_id=segment.pk)
        found += current_members(segment) != member_bitmap(rule, segment.last_built_at)
    return found


def full_rebuild() -> dict[str, Any]:
    """Rebuild all segments as the job does, in a process of its own whose memory is read at its end."""
    command = [sys.executable, "-c", "from tests.benchmarks.engine import rebuild_here; rebuild_here()"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def rebuild_here() -> None:
    """Rebuild every segment in this process and print seconds, segments and the peak of memory as JSON."""
    import django

    django.setup()
    from segments.services.rebuilding import rebuild_all

    class Alone:
        """No job around the work: nothing to commit or to cancel."""

        def commit_chunk(self, **progress: Any) -> None:
            """Keep nothing."""

        def check_cancelled(self) -> None:
            """Go on."""

    began = time.perf_counter()
    totals = rebuild_all("rebuild", Alone(), [])
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": round(seconds, 1), "segments": totals["segments"], "peak_mb": peak}))


def _p95(times: list[float]) -> float:
    ordered = sorted(times)
    return round(ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))], 1)


if __name__ == "__main__":
    sys.exit(main())
