"""`make bench ARGS="--contacts 100000"`: build the reference world where it is missing, measure, print, write JSON."""

import argparse
import os
import sys
from urllib.parse import urlsplit, urlunsplit

SERVER = "postgres://postgres@127.0.0.1:5432/postgres"


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000, help="size of the world (default 100,000)")
    parser.add_argument("--requests", type=int, default=20, help="requests a row (default 20)")
    parser.add_argument("--server", default=os.environ.get("BENCH_DATABASE_URL", SERVER), help="any database there")
    parser.add_argument("--rebuild", action="store_true", help="drop the world and build it anew")
    parser.add_argument("--only", default="", help="rows whose name holds this text")
    parser.add_argument("--out", default="docs/bench", help="folder of the JSON")
    options = parser.parse_args()
    if options.contacts < 200:
        parser.error("--contacts must be 200 or more.")
    _prepare(options)
    from . import run

    return run.run(options)


def _prepare(options: argparse.Namespace) -> None:
    """Make the world's own database and set Django up on it."""
    import psycopg
    from psycopg import sql

    name = f"bench_crm_{options.contacts}"
    try:
        with psycopg.connect(options.server, autocommit=True) as connection:
            identifier = sql.Identifier(name)
            if options.rebuild:
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(identifier))
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if not found:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(identifier))
    except psycopg.OperationalError as error:
        sys.exit(f"The bench needs a PostgreSQL server ({error}). Name one with BENCH_DATABASE_URL or --server.")
    parts = urlsplit(options.server)
    os.environ["DATABASE_URL"] = urlunsplit((parts.scheme, parts.netloc, f"/{name}", parts.query, ""))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "segmentation_crm.settings")
    import django
    from django.conf import settings

    # What is measured are pages and database: the cache is this process's own.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.DATABASES["default"]["CONN_MAX_AGE"] = None
    django.setup()


if __name__ == "__main__":
    sys.exit(main())
