"""The bench works at a tiny size: the world is true, pages answer, figures equal their SQL. No budgets here."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

psycopg = pytest.importorskip("psycopg")
ROOT = Path(__file__).resolve().parents[1]
SERVER = os.environ.get("BENCH_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
SIZE = 400


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """Run the bench as people do, in a process and database of its own; drop the database afterwards."""
    try:
        server = psycopg.connect(SERVER, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL server for the bench (BENCH_DATABASE_URL)")
    folder = tmp_path_factory.mktemp("bench")
    # A size nobody measures with, so that no other run shares the database.
    size = SIZE + random.randrange(100)
    arguments = ["--contacts", str(size), "--requests", "1", "--rebuild", "--out", str(folder), "--server", SERVER]
    env = {**os.environ, "VAR_DIR": str(folder / "var"), "PYTHONUNBUFFERED": "1"}
    found = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", *arguments],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    base = SERVER.rsplit("/", 1)[0]
    yield found, folder / f"pages-{size}.json", f"{base}/bench_crm_{size}", size
    server.execute(f"DROP DATABASE IF EXISTS bench_crm_{size} WITH (FORCE)")
    server.close()


@pytest.mark.timeout(900)
def test_every_page_answers_and_every_figure_equals_its_sql(bench):
    found, path, _, size = bench
    assert path.exists(), found.stdout[-3000:] + found.stderr[-3000:]
    report = json.loads(path.read_text())
    assert report["world"]["contacts"] == size
    pages = report["rows"]["9"]["pages"]
    assert len(pages) > 100
    assert [(page["name"], page["user"], page["status"]) for page in pages if page["status"] != 200] == []
    checks = [page for page in pages if page["check"]]
    assert len(checks) > 30
    assert [(p["name"], p["check"]) for p in checks if p["check"]["page"] != p["check"]["sql"]] == []
    assert any(page["check"]["sql"] > 0 for page in checks)
    not_run = {name for name, row in report["rows"].items() if row.get("result") == "not run"}
    assert not_run == set("12345678") | {"10", "11"}
    assert found.returncode == 0


@pytest.mark.timeout(900)
def test_the_world_is_as_large_as_it_says_and_true_in_itself(bench):
    from segmentation_crm.common.folding import fold
    from tests.benchmarks.sizes import Sizes

    _, _, url, size = bench
    sizes = Sizes(size).as_dict()
    with psycopg.connect(url) as connection:
        for name, table in (
            ("contacts", "contact"), ("accounts", "account"), ("activities", "activity"), ("purchases", "purchase"),
            ("opportunities", "opportunity"), ("contracts", "contract"), ("support_cases", "supportcase"),
        ):  # fmt: skip
            (rows,) = connection.execute(f"SELECT count(*) FROM accounts_{table}").fetchone()
            assert rows == sizes[name], name
        for table, column in (("account", "name"), ("contact", "last_name"), ("account", "city"), ("contact", "email")):
            for text, folded in connection.execute(f"SELECT {column}, {column}_folded FROM accounts_{table}"):
                assert folded == fold(text)
        names = connection.execute("SELECT first_name, last_name, full_name_folded FROM accounts_contact")
        for first, last, folded in names:
            assert folded == fold(f"{first} {last}")
        (broken,) = connection.execute("SELECT count(*) FROM pg_constraint WHERE NOT convalidated").fetchone()
        (keys,) = connection.execute(
            "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conrelid = 'accounts_activity'::regclass"
        ).fetchone()
        assert (broken, keys > 5) == (0, True)
        (history,) = connection.execute("SELECT count(*) FROM accounts_fieldhistory WHERE field = 'stage'").fetchone()
        assert history == sizes["opportunities"]
        (most,) = connection.execute(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM accounts_contact GROUP BY account_id) AS x"
        ).fetchone()
        assert most > 3 * size / sizes["accounts"]


def test_the_bench_says_what_it_needs(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--contacts", "300", "--server", "postgres://nobody@127.0.0.1:1/none"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert found.returncode != 0
    assert "needs a PostgreSQL server" in found.stderr
