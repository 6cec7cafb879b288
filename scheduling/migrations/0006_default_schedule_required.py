"""The hours of a host stand in the default schedule alone."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scheduling", "0005_default_schedules")]

    operations = [
        migrations.AlterField(
            "weeklyavailability",
            "default",
            models.OneToOneField(
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="+",
                to="scheduling.schedule",
                verbose_name="default schedule",
            ),
        ),
        migrations.RemoveField("weeklyavailability", "days"),
    ]
