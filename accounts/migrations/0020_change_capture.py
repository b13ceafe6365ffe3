import django.utils.timezone
from django.db import migrations, models


def vacuum_soon(apps, schema_editor):
    """Let PostgreSQL clean the waiting rows by their number, not by a share of a table that is mostly empty."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE accounts_changerow SET "
            "(autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, "
            "autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000)"
        )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0011_index_of_the_board"),
    ]

    operations = [
        migrations.CreateModel(
            name="CaptureVersion",
            fields=[
                ("source", models.CharField(max_length=63, primary_key=True, serialize=False)),
                ("rows", models.PositiveBigIntegerField(default=0)),
                ("mark", models.DecimalField(decimal_places=0, default=0, max_digits=40)),
            ],
        ),
        migrations.CreateModel(
            name="ChangeRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("source", models.CharField(max_length=63)),
                ("event", models.CharField(max_length=1)),
                ("count", models.PositiveBigIntegerField(default=1)),
                ("keys", models.BinaryField(null=True)),
                ("accounts", models.BinaryField(null=True)),
                ("contacts", models.BinaryField(null=True)),
                ("opportunities", models.BinaryField(null=True)),
                ("words", models.TextField(null=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "indexes": [models.Index(fields=["source", "id"], name="accounts_changerow_source")],
            },
        ),
        migrations.RunPython(vacuum_soon, migrations.RunPython.noop),
    ]
