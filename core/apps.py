from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core.db import keys, pooling

        checks.register(pooling.check, checks.Tags.database)
        checks.register(keys.check, checks.Tags.database)
        post_migrate.connect(keys.keep_canary, sender=self)
