"""Windows of time over activities are read from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0020_change_capture")]

    operations = [
        migrations.RemoveIndex(model_name="activity", name="accounts_activity_type_at"),
        migrations.RemoveIndex(model_name="activity", name="accounts_activity_at"),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(
                fields=["type", "occurred_at", "contact", "account"], name="accounts_activity_type_whose"
            ),
        ),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(fields=["occurred_at", "id", "contact", "account"], name="accounts_activity_at_whose"),
        ),
    ]
