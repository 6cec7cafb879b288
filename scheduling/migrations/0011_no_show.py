"""Hosts note who did not come."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0010_guests")]

    operations = [
        migrations.AddField(
            "booking",
            "no_show_at",
            models.DateTimeField(editable=False, null=True, verbose_name="no-show"),
        )
    ]
