from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_migrate


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import keys

        checks.register(keys.check, checks.Tags.database)
        post_migrate.connect(keys.keep_canary, sender=self)
