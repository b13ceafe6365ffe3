"""What one sees of the activities, and who engaged, are read from an index alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0021_activity_windows")]

    operations = [
        migrations.RemoveIndex(model_name="activity", name="accounts_activity_at_whose"),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(
                fields=["occurred_at", "id", "contact", "account", "opportunity", "user"],
                name="accounts_activity_at_seen",
            ),
        ),
        migrations.AddIndex(
            model_name="activity",
            index=models.Index(
                fields=["account", "occurred_at", "type", "contact"],
                condition=models.Q(("bot_suspected", False), ("direction", "inbound")),
                name="accounts_activity_engaged",
            ),
        ),
    ]
