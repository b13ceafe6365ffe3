"""Indexes for what begins with a text, on PostgreSQL: others serve only equality and order there."""

from django.db import migrations, models

INDEXES = (
    ("accounts_account_name_begin", "accounts_account", "name_folded"),
    ("accounts_account_domain_begin", "accounts_account", "domain_folded"),
    ("accounts_contact_name_begin", "accounts_contact", "full_name_folded"),
    ("accounts_contact_email_begin", "accounts_contact", "email_folded"),
    ("accounts_opp_name_begin", "accounts_opportunity", "name_folded"),
)


def make(apps, schema_editor):
    if schema_editor.connection.vendor != "postgresql":
        return
    with schema_editor.connection.cursor() as cursor:
        for name, table, column in INDEXES:
            cursor.execute(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column} text_pattern_ops)")


def drop(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        with schema_editor.connection.cursor() as cursor:
            for name, _, _ in INDEXES:
                cursor.execute(f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_index_of_gone_records")]
    operations = [
        migrations.RunPython(make, drop),
        migrations.AddIndex(
            model_name="task",
            index=models.Index(
                fields=["due_at", "id"], name="accounts_task_due", condition=models.Q(("done_at__isnull", True))
            ),
        ),
    ]
