"""Versions of what rules read, for the keys of caches: a version differs whenever a commit changed what it stands for.

No writer updates a shared row. A version is the number of committed change rows of a source, taken or waiting, and the
sum of their ids. A snapshot that sees one commit more has a higher number, however early that transaction began: a late
commit cannot hide behind a newer one. Ids of PostgreSQL are never given twice, so that what a transaction saw of its
own and rolled back never equals what somebody committed. On SQLite writers come one after the other: the highest id is
enough.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection

# The source of a row that says that writes to any table may have been missed.
EVERYTHING = "accounts_changerow"


def table_versions(tables: Iterable[str]) -> dict[str, str]:
    """Return source -> version, a text to compare for equality (1 query; costs the rows that wait, some ms).

    tables: names as `sources_of` gives them: tables, and reference data such as "term:industry" or "stage". Ask first,
    read the data then: the data may be newer than its version, never older. Keep nothing that was read in a transaction
    which itself had written: on SQLite its ids come again after a rollback.
    """
    asked = set(tables)
    if not asked:
        return {}
    wanted = sorted({*asked, EVERYTHING})
    marks = ", ".join(["%s"] * len(wanted))
    if connection.vendor == "postgresql":
        sql = f"""
            SELECT s.source,
                   COALESCE(v.rows, 0) + COUNT(c.id), COALESCE(v.mark, 0) + COALESCE(SUM(c.id), 0)
            FROM unnest(ARRAY[{marks}]::varchar[]) AS s (source)
            LEFT JOIN accounts_captureversion v ON v.source = s.source
            LEFT JOIN accounts_changerow c ON c.source = s.source
            GROUP BY s.source, v.rows, v.mark"""  # noqa: S608 (marks only)
        params: list[Any] = wanted
    else:
        values = ", ".join(["(%s)"] * len(wanted))
        sql = f"""
            WITH s (source) AS (VALUES {values})
            SELECT s.source, 0, MAX(
                COALESCE((SELECT MAX(id) FROM accounts_changerow c WHERE c.source = s.source), 0),
                COALESCE((SELECT mark FROM accounts_captureversion v WHERE v.source = s.source), 0)
            ) FROM s"""  # noqa: S608 (marks only)
        params = wanted
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found = {source: f"{int(rows)}.{int(mark)}" for source, rows, mark in cursor.fetchall()}
    missed = found[EVERYTHING]
    return {source: f"{found[source]}.{missed}" for source in asked}


def count_taken(rows: Iterable[tuple[Any, ...]]) -> None:
    """Add deleted change rows (id, source, …) to what their sources' versions count from (1 statement)."""
    counts: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        counts[row[1]].append(row[0])
    if not counts:
        return
    if connection.vendor == "postgresql":
        values = [(source, len(ids), sum(ids)) for source, ids in sorted(counts.items())]
        mark = "accounts_captureversion.mark + excluded.mark"
    else:
        values = [(source, len(ids), max(ids)) for source, ids in sorted(counts.items())]
        mark = "MAX(accounts_captureversion.mark, excluded.mark)"
    marks = ", ".join(["(%s, %s, %s)"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO accounts_captureversion (source, rows, mark) VALUES {marks} "  # noqa: S608 (marks only)
            f"ON CONFLICT (source) DO UPDATE SET rows = accounts_captureversion.rows + excluded.rows, mark = {mark}",
            [value for line in values for value in line],
        )
