"""Run the tests on SQLite and again on PostgreSQL where a server answers; say plainly what was not run.

    python -m tests.run [pytest arguments]

TEST_DATABASE_URL names the PostgreSQL server (else DATABASE_URL, else postgres@127.0.0.1:5432 is tried).

A few failures are run a second time by themselves (docs/decisions/0017-failures-run-twice.md): what fails twice fails,
what passes alone is named as UNSTEADY in the summary.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
PROCESSES = "2"
# More failures than this are no accident of a busy machine.
SECOND_TRIES = 8


def postgres_url() -> str | None:
    """Return the URL of a database on a PostgreSQL server that answers, None where there is none."""
    named = os.environ.get("TEST_DATABASE_URL") or os.environ.get("DATABASE_URL", "")
    if named.startswith("postgres"):
        server, _, name = named.rpartition("/")
        candidates = [(named, f"{server}/postgres"), (named, named)]
    else:
        server = "postgres://postgres@127.0.0.1:5432"
        # A name of its own for each checkout: two may run their tests at once.
        name = f"crm_{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
        candidates = [(f"{server}/{name}", f"{server}/postgres")]
    for url, probe in candidates:
        try:
            psycopg.connect(probe, connect_timeout=3).close()
        except psycopg.Error:
            continue
        return url
    return None


def run_tests(label: str, url: str, arguments: list[str]) -> tuple[int, float, list[str]]:
    """Run pytest against one database; return its exit code, the seconds it took, and what passed only alone."""
    print(f"\n=== Tests on {label} ===", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "failed"
        env = {**os.environ, "DATABASE_URL": url, "FAILED_TESTS_FILE": str(report)}
        code = _pytest(env, ["-n", PROCESSES, "--dist", "loadgroup", *arguments])
        failed = report.read_text().split("\n") if report.exists() else []
        unsteady: list[str] = []
        if code == 1 and 0 < len(failed) <= SECOND_TRIES:
            print(f"\n=== Once more, alone, on {label}: {len(failed)} ===", flush=True)
            code = _pytest({**env, "FAILED_TESTS_FILE": ""}, failed)
            unsteady = failed if code == 0 else []
    return code, time.monotonic() - began, unsteady


def _pytest(env: dict[str, str], arguments: list[str]) -> int:
    command = [sys.executable, "-m", "pytest", "-rs", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False).returncode


def main(arguments: list[str]) -> int:
    """Run both rounds and print one line for each."""
    lines, failed = [], False
    rounds = [("SQLite", "sqlite:///unused.sqlite3"), ("PostgreSQL", postgres_url())]
    for label, url in rounds:
        if url is None:
            lines.append(f"{label}: NOT RUN, no server answers at postgres@127.0.0.1:5432 (set TEST_DATABASE_URL)")
            failed = failed or bool(os.environ.get("CI"))
            continue
        code, seconds, unsteady = run_tests(label, url, arguments)
        failed = failed or code != 0
        lines.append(f"{label}: {'passed' if code == 0 else f'FAILED (pytest exit {code})'} in {seconds:.0f} s")
        lines += [f"  UNSTEADY, passed only alone: {name}" for name in unsteady]
    print("\n=== Summary ===")
    for line in lines:
        print(line)
    print("What single tests skipped stands above, after SKIPPED.")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
