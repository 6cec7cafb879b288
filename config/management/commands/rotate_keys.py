from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Model

from config.crypto import EncryptedTextField

_BATCH = 200


class Command(BaseCommand):
    help = (
        "Encrypt everything anew under the first of ENCRYPTION_KEYS. Afterwards the others can be"
        " dropped. May run while Parley serves, and again at any time."
    )

    def handle(self, **options: Any) -> None:
        for model in apps.get_models():
            names = [
                field.name for field in model._meta.fields if isinstance(field, EncryptedTextField)
            ]
            if names:
                count = _rotate(model, names)
                self.stdout.write(f"{model._meta.label}: {count}")


def _rotate(model: type[Model], names: list[str]) -> int:
    """Read and write every row, by id, a locked batch at a time; how many those were."""
    rows = model._default_manager.order_by("pk").only("pk", *names)
    count, last = 0, 0
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last).select_for_update(no_key=True)[:_BATCH])
            model._default_manager.bulk_update(batch, names) if batch else None
        if not batch:
            return count
        count, last = count + len(batch), batch[-1].pk
