"""Canary that shows if `ENCRYPTION_KEYS` opens this database.

A wrong list of keys would serve, encrypt new rows, and fail wherever an old row is read. So a
database holds one encrypted row, the canary. `migrate` writes it, every start tries to open it,
`/readyz` reports on it, and `rotate_keys` encrypts it anew.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, NoReturn

from django.apps import apps as installed
from django.apps.registry import Apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.models import Model

from core.db.crypto import DecryptionError, encrypted_fields, is_readable
from core.models import KeyCanary
from core.ops import environment

_PROBLEM = "does not open this database"
_REMEDY = (
    "restore the key that its rows were encrypted with (encryption_key in DATA_DIR where the"
    " setting is not set), or give those rows up ('Lost keys' in docs/deploy.md)"
)


def open_canary(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether a canary exists. DecryptionError if the keys do not open it."""
    canary = KeyCanary.objects.using(using).filter(pk=KeyCanary.ROW).first()
    return canary is not None and bool(canary.content)


def write_canary(using: str = DEFAULT_DB_ALIAS, *, replace: bool) -> None:
    """Encrypt the canary under the first key. An existing canary stays unless `replace` is set."""
    KeyCanary.objects.using(using).bulk_create(
        [KeyCanary()],
        ignore_conflicts=not replace,
        update_conflicts=replace,
        unique_fields=["id"] if replace else None,
        update_fields=["content"] if replace else None,
    )


def are_wrong(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Tell whether the keys fail to open the canary. False if the database has none or is away."""
    with suppress(Error):
        try:
            open_canary(using)
        except DecryptionError:
            return True
    return False


def refuse_wrong() -> None:
    """Stop the process with one line if the keys do not open the database."""
    if are_wrong():
        _refuse()


def keep_canary(*, using: str, apps: Apps = installed, **_: Any) -> None:
    """Write the canary after `migrate`, unless it exists. Stop if the keys are wrong.

    Rows may be older than the canary. Keys that open none of these rows must not write one. If
    several processes migrate at once, the first canary stays, and the others try to open it.
    """
    connection = connections[using]
    tables = set(connection.introspection.table_names())
    if KeyCanary._meta.db_table not in tables:  # migrated back to before it
        return
    try:
        if open_canary(using):
            return
        if not _open_some(using, (m for m in apps.get_models() if m._meta.db_table in tables)):
            _refuse()
        write_canary(using, replace=False)
        open_canary(using)
    except DecryptionError:
        _refuse()


def _open_some(using: str, models: Iterable[type[Model]]) -> bool:
    """Tell whether a key opens the newest row of some table, or nothing is encrypted yet."""
    is_empty = True
    for model in models:
        for field in encrypted_fields(model):
            rows = model._base_manager.using(using).order_by("-pk")
            newest = rows.only("pk", field.name).first()
            if newest is not None:
                is_empty = False
                if is_readable(newest, field.name):
                    return True
    return is_empty


def _refuse() -> NoReturn:
    environment.refuse("ENCRYPTION_KEYS", f"{_PROBLEM}: {_REMEDY}")


def check(*, databases: Iterable[str] | None = None, **_: Any) -> list[checks.CheckMessage]:
    """Return the error for `manage.py check --database default`, and for the start of `migrate`."""
    return [
        checks.Error(f"ENCRYPTION_KEYS {_PROBLEM}.", hint=_REMEDY, id="config.E001")
        for using in databases or ()
        if are_wrong(using)
    ]
