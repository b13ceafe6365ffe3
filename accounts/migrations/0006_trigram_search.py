"""Trigram indexes for search and `contains`, on PostgreSQL and where the extension may be made."""

import sys

from django.db import DatabaseError, migrations, transaction

INDEXES = (
    ("accounts_account_name_trgm", "accounts_account", "name_folded"),
    ("accounts_account_domain_trgm", "accounts_account", "domain_folded"),
    ("accounts_contact_name_trgm", "accounts_contact", "full_name_folded"),
    ("accounts_contact_email_trgm", "accounts_contact", "email_folded"),
    ("accounts_contact_title_trgm", "accounts_contact", "job_title_folded"),
    ("accounts_opp_name_trgm", "accounts_opportunity", "name_folded"),
)


def make(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    except DatabaseError:
        sys.stderr.write(
            "\n  pg_trgm could not be installed, so search and “contains” read whole tables."
            "\n  Let a superuser run CREATE EXTENSION pg_trgm, migrate accounts back by one migration, and on again.\n"
        )
        return
    with connection.cursor() as cursor:
        for name, table, column in INDEXES:
            # Without a list of rows to be merged later, which every look-up would have to read as well.
            columns = f"{table} USING gin ({column} gin_trgm_ops)"
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {columns} WITH (fastupdate = off)")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            for name, _, _ in INDEXES:
                cursor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0005_notes_and_files_taken_back")]
    operations = [migrations.RunPython(make, drop)]
