from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Model

from config.crypto import EncryptedTextField

_BATCH = 200
# What allauth hands to its adapter to be encrypted.
_SEALED = {"secret", "seed"}


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
        self.stdout.write(f"{Authenticator._meta.label}: {_rotate_authenticators()}")


def _rotate(model: type[Model], names: list[str]) -> int:
    """Read and write every row, by id, a locked batch at a time; how many those were."""
    rows = model._default_manager.order_by("pk").only("pk", *names)
    count, rest = 0, rows
    while True:
        with transaction.atomic():
            batch = list(rest.select_for_update(no_key=True)[:_BATCH])
            model._default_manager.bulk_update(batch, names) if batch else None
        if not batch:
            return count
        count, rest = count + len(batch), rows.filter(pk__gt=batch[-1].pk)


def _rotate_authenticators() -> int:
    """The secrets within the second steps of signing in, which allauth keeps as JSON."""
    adapter = get_adapter()
    with transaction.atomic():
        rows = list(Authenticator.objects.select_for_update(no_key=True))
        for row in rows:
            for name in _SEALED & row.data.keys():
                row.data[name] = adapter.encrypt(adapter.decrypt(row.data[name]))
            row.save(update_fields=["data"])
    return len(rows)
