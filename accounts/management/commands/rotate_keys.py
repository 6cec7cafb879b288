from typing import Any

from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Model

from core.db import keys
from core.db.crypto import DecryptionError, encrypted_fields, is_readable
from core.models import KeyCanary

_BATCH = 200
# What allauth hands to its adapter to be encrypted.
_SEALED = {"secret", "seed"}


class Command(BaseCommand):
    help = (
        "Encrypt everything anew under the first of ENCRYPTION_KEYS. Afterwards the others can be"
        " dropped. May run while Parley serves, and again at any time. Rows that no key opens stay"
        " as they are; it fails at the end if there are any."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--accept-loss",
            action="store_true",
            help="the keys of rows that stay shut are lost: go on without them",
        )

    def handle(self, *, accept_loss: bool, **options: Any) -> None:
        if not accept_loss:
            keys.keep_canary(using=DEFAULT_DB_ALIAS)
        shut = 0
        for model in apps.get_models():
            names = [field.name for field in encrypted_fields(model)]
            if names and model is not KeyCanary:
                shut += self._told(model, *_rotate(model, names))
        shut += self._told(Authenticator, *_rotate_authenticators())
        keys.write_canary(replace=True)  # last: a key that opens it opens all that can be opened
        if shut and not accept_loss:
            raise CommandError(f"No key opens {shut} of the rows. They stay as they are.")

    def _told(self, model: type[Model], count: int, shut: int) -> int:
        besides = f", and {shut} that no key opens" if shut else ""
        self.stdout.write(f"{model._meta.label}: {count}{besides}")
        return shut


def _rotate(model: type[Model], names: list[str]) -> tuple[int, int]:
    """Read and write every row, by id, in locked batches.

    Return how many, and how many stay shut.
    """
    rows = model._default_manager.order_by("pk").only("pk", *names)
    count, shut, rest = 0, 0, rows
    while True:
        with transaction.atomic():
            batch = list(rest.select_for_update(no_key=True)[:_BATCH])
            readable = [row for row in batch if is_readable(row, *names)]
            # It takes the plain text of each attribute, and so encrypts it anew.
            model._default_manager.bulk_update(readable, names)
        if not batch:
            return count, shut
        count, shut = count + len(readable), shut + len(batch) - len(readable)
        rest = rows.filter(pk__gt=batch[-1].pk)


def _rotate_authenticators() -> tuple[int, int]:
    """Encrypt the secrets in second steps of signing in, which allauth keeps as JSON.

    Return how many rows were encrypted, and how many stay shut.
    """
    adapter, shut = get_adapter(), 0
    with transaction.atomic():
        rows = list(Authenticator.objects.select_for_update(no_key=True))
        for row in rows:
            try:
                for name in _SEALED & row.data.keys():
                    row.data[name] = adapter.encrypt(adapter.decrypt(row.data[name]))
            except DecryptionError:
                shut += 1
            else:
                row.save(update_fields=["data"])
    return len(rows) - shut, shut
