import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from calendars.domain import overlap


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="BusyTime",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("start", models.BigIntegerField(verbose_name="start")),
                ("end", models.BigIntegerField(verbose_name="end")),
                ("exclusive", models.BooleanField(default=True, verbose_name="exclusive")),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="busy_times",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "busy time",
                "verbose_name_plural": "busy times",
                "ordering": ("start", "id"),
                "indexes": [models.Index(fields=["user", "start", "end"], name="busy_time_range")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("end__gt", models.F("start"))),
                        name="busy_time_not_empty",
                    )
                ],
            },
        ),
        migrations.RunPython(overlap.install, overlap.uninstall),
    ]
