"""The test database: migrated once into a template, copied for each process, refilled after a flush.

Migrating takes half a minute; copying takes none. The template is kept between runs, named after the migrations'
and triggers' contents, beside the system's temporary files or on the PostgreSQL server.
"""

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.conf import settings
from django.db import connection

from segmentation_crm.common.triggers import drop, install

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = Path(tempfile.gettempdir()) / f"crm-test-templates-{os.getuid()}"
KEEP_SECONDS = 24 * 3600


def fingerprint() -> str:
    """Return a short hash of what makes a migrated database: migrations, the data they load, generated triggers."""
    from accounts.capture import capture_triggers  # models are ready by now
    from accounts.history import history_triggers

    digest = hashlib.sha256(django.__version__.encode())
    for config in sorted(apps.get_app_configs(), key=lambda config: config.label):
        folder = Path(config.path)
        made_of = ("migrations/*.py", "data/**/*.*", "services/defaults.py")
        for path in sorted(path for pattern in made_of for path in folder.glob(pattern)):
            digest.update(path.name.encode() + path.read_bytes())
    # Put back after migrations, from code: a template of yesterday's triggers would be tested instead of today's.
    for trigger in (*capture_triggers(connection.vendor), *history_triggers(connection.vendor)):
        digest.update(f"{trigger.name} {trigger.fingerprint()}".encode())
    digest.update(f"{ROOT} {settings.MIGRATION_MODULES}".encode())
    return digest.hexdigest()[:12]


@contextmanager
def locked() -> Iterator[None]:
    """Let one process at a time build or copy templates."""
    CACHE.mkdir(mode=0o700, exist_ok=True)
    with (CACHE / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _migrate(url: str) -> None:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--skip-checks", "--verbosity", "0"],
        cwd=ROOT,
        env={**inherited, "DATABASE_URL": url, "DATABASE_ROLE": "worker", "VAR_DIR": str(CACHE)},
        check=True,
        stdin=subprocess.DEVNULL,
    )


# --- SQLite: a file beside the temporary files ---


@functools.cache
def sqlite_template() -> Path:
    """Return the migrated file, built where it is missing; those of yesterday are removed."""
    path = CACHE / f"{fingerprint()}.sqlite3"
    if path.exists():
        return path
    with locked():
        if not path.exists():
            for old in CACHE.glob("*.sqlite3*"):
                if time.time() - old.stat().st_mtime > KEEP_SECONDS:
                    old.unlink()
            building = CACHE / f"building-{os.getpid()}.sqlite3"
            _migrate(f"sqlite:///{building}")
            building.replace(path)
    return path


def copy_sqlite(target: Path) -> None:
    """Put a fresh copy of the template to `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sqlite_template(), target)


# --- PostgreSQL: a template database on the server ---


def _server() -> Any:
    import psycopg

    values = connection.settings_dict
    return psycopg.connect(
        host=values["HOST"] or None,
        port=values["PORT"] or None,
        user=values["USER"] or None,
        password=values["PASSWORD"] or None,
        dbname="postgres",
        autocommit=True,
    )


def _url(name: str) -> str:
    values = connection.settings_dict
    password = f":{values['PASSWORD']}" if values["PASSWORD"] else ""
    return f"postgres://{values['USER']}{password}@{values['HOST']}:{values['PORT'] or 5432}/{name}"


def postgres_template(base: str) -> str:
    """Return the name of the migrated database of these tests, built where it is missing."""
    name = f"{base}_template_{fingerprint()}"
    with locked(), _server() as server:
        found = server.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [f"{base}_template_%"])
        names = {row[0] for row in found.fetchall()}
        if name not in names:
            for old in names:
                server.execute(f'DROP DATABASE IF EXISTS "{old}" WITH (FORCE)')
            building = f"{base}_building_{os.getpid()}"
            server.execute(f'CREATE DATABASE "{building}"')
            _migrate(_url(building))
            server.execute(f'ALTER DATABASE "{building}" RENAME TO "{name}"')
    return name


def copy_postgres(base: str, target: str) -> None:
    """Make `target` a fresh copy of the template."""
    template = postgres_template(base)
    with locked(), _server() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{target}" WITH (FORCE)')
        server.execute(f'CREATE DATABASE "{target}" TEMPLATE "{template}"')


def drop_postgres(name: str) -> None:
    """Drop a copy, whoever is still connected to it."""
    connection.close()
    with _server() as server:
        server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


# --- Refilling after a flush ---

_KEEP = {"django_migrations"}
_postgres_rows: dict[str, bytes] = {}


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        return [t for t in connection.introspection.table_names(cursor) if t not in _KEEP]


def remember() -> None:
    """Keep the rows that the migrations made (PostgreSQL; SQLite reads its template)."""
    if connection.vendor != "postgresql":
        return
    for table in _tables():
        with connection.cursor() as cursor, cursor.copy(f'COPY "{table}" TO STDOUT') as copy:
            data = b"".join(bytes(block) for block in copy)
        _postgres_rows[table] = data


def refill() -> None:
    """Bring every table back to what the migrations made; call outside of a transaction."""
    if connection.vendor == "postgresql":
        _refill_postgres()
    else:
        _refill_sqlite()


def _refill_sqlite() -> None:
    from segmentation_crm.common.append_only import audit_triggers  # models are ready by now

    with connection.cursor() as cursor:
        cursor.execute("ATTACH DATABASE %s AS template", [str(sqlite_template())])
        cursor.execute("PRAGMA foreign_keys = OFF")
        try:
            tables = _tables()
            cursor.execute("BEGIN IMMEDIATE")
            # The audit log refuses deletion; its triggers come back with its rows.
            guards = audit_triggers("sqlite")
            drop(connection, guards)
            # Twice deleted: triggers fill their tables while others are refilled.
            empty = []
            for table in tables:
                cursor.execute(f'SELECT EXISTS (SELECT 1 FROM template."{table}")')
                if not cursor.fetchone()[0]:
                    empty.append(table)
                    continue
                cursor.execute(f'DELETE FROM main."{table}"')
                # table_info leaves generated columns out.
                columns = ", ".join(f'"{row[1]}"' for row in cursor.execute(f'PRAGMA table_info("{table}")').fetchall())
                cursor.execute(f'INSERT INTO main."{table}" ({columns}) SELECT {columns} FROM template."{table}"')
            for table in empty:
                cursor.execute(f'DELETE FROM main."{table}"')
            install(connection, guards)
            cursor.execute("COMMIT")
        except Exception:
            cursor.execute("ROLLBACK")
            raise
        finally:
            cursor.execute("PRAGMA foreign_keys = ON")
            cursor.execute("DETACH DATABASE template")


def _refill_postgres() -> None:
    from django.db import transaction

    with transaction.atomic(), connection.cursor() as cursor:
        # No triggers and no order of foreign keys while rows come back.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL statement_timeout = '60s'")
        cursor.execute("SET LOCAL lock_timeout = '30s'")
        tables = _tables()
        asked = " UNION ALL ".join(f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM \"{table}\")" for table in tables)
        cursor.execute(asked)
        filled = {row[0] for row in cursor.fetchall()}
        for table in tables:
            rows = _postgres_rows.get(table)
            # DELETE, not TRUNCATE: for a handful of rows it takes no file operations.
            if table in filled:
                cursor.execute(f'DELETE FROM "{table}"')
            if rows:
                with cursor.copy(f'COPY "{table}" FROM STDIN') as copy:
                    copy.write(rows)
