"""Rows from before have their text: it was written with the fact that they report."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notifications", "0001_initial")]

    operations = [
        migrations.AddField(
            "notification", "is_written", models.BooleanField(default=True, editable=False)
        ),
        migrations.AlterField(
            "notification", "is_written", models.BooleanField(default=False, editable=False)
        ),
        migrations.AlterField(
            "notification",
            "address",
            models.CharField(blank=True, max_length=320, verbose_name="address"),
        ),
    ]
