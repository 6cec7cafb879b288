from typing import Any

from django.contrib.staticfiles.management.commands import collectstatic

from core.ops import environment


class Command(collectstatic.Command):
    def handle(self, **options: Any) -> str | None:
        with environment.writing_to("STATIC_ROOT"):
            return super().handle(**options)
