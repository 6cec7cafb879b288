"""Encryption at rest: AES-256-GCM under a list of keys.

`settings.ENCRYPTION_KEYS` is a list of base64 keys of 32 bytes. The first key encrypts; all keys
decrypt. To retire a key, put a new one before it, encrypt again, and drop the old one. Every
ciphertext is bound to a `context` (its place), so it cannot be moved to another column.
"""

import base64
import hashlib
import os
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

_NONCE_BYTES = 12


class DecryptionError(Exception):
    """No configured key opens this text, or it was altered or moved.

    The message never shows the text.
    """


@cache
def _cipher(key: str) -> tuple[str, AESGCM]:
    raw = base64.b64decode(key)
    return hashlib.sha256(raw).hexdigest()[:8], AESGCM(raw)


def encrypt(plain: str, *, context: str) -> str:
    """Return `<key id>.<base64 of nonce and ciphertext>`, encrypted under the first key."""
    key_id, cipher = _cipher(settings.ENCRYPTION_KEYS[0])
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, plain.encode(), context.encode())
    return f"{key_id}.{base64.b64encode(sealed).decode()}"


def decrypt(text: str, *, context: str) -> str:
    """Return the text that `encrypt` was given. DecryptionError for any other input."""
    key_id, _, body = text.partition(".")
    for known_id, cipher in map(_cipher, settings.ENCRYPTION_KEYS):
        if known_id == key_id:
            try:
                sealed = base64.b64decode(body, validate=True)
                nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
                return cipher.decrypt(nonce, rest, context.encode()).decode()
            except (InvalidTag, ValueError):
                break
    raise DecryptionError(f"cannot decrypt {context}")


class Ciphertext:
    """Encrypted text of a row, which `open` decrypts once. It never shows what it holds."""

    def __init__(self, text: str, context: str) -> None:
        self.text, self._context = text, context
        self._plain: str | None = None

    def __repr__(self) -> str:
        return f"<Ciphertext of {self._context}>"

    def open(self) -> str:
        """Return the plain text; DecryptionError where no key opens it."""
        if self._plain is None:
            self._plain = decrypt(self.text, context=self._context)
        return self._plain


def opened(value: str | Ciphertext) -> str:
    """Return the plain text of a column or an attribute; DecryptionError as `Ciphertext.open`."""
    return value.open() if isinstance(value, Ciphertext) else value


class _OpenedOnAccess(DeferredAttribute):
    """Attribute of an EncryptedTextField: the ciphertext stays in the row until it is read."""

    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        return value.open() if isinstance(value, Ciphertext) else value

    def __set__(self, instance: models.Model, value: str | Ciphertext | None) -> None:
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database only sees encrypted, bound to its model and field. Not searchable.

    A row keeps the ciphertext when it is loaded, and reading the attribute decrypts it. Where no
    key opens it, reading raises DecryptionError, but loading does not. A row that is saved
    unchanged writes the same ciphertext back and needs no key; text that is assigned is encrypted.

    Columns (`values`, `values_list`, `Prepared.rows`, a `Reading`) hold a `Ciphertext`, and
    `opened` makes plain text of it. `refresh_from_db` reads the attribute, and so needs the key.
    """

    descriptor_class = _OpenedOnAccess

    @property
    def _context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}"

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        kept = model_instance.__dict__.get(self.attname)
        return kept if isinstance(kept, Ciphertext) else super().pre_save(model_instance, add)

    def get_prep_value(self, value: str | Ciphertext | None) -> str | None:
        if isinstance(value, Ciphertext):
            return value.text
        return None if value is None else encrypt(value, context=self._context)

    def from_db_value(self, value: str | None, *_: Any) -> Ciphertext | None:
        return None if value is None else Ciphertext(value, self._context)


def encrypted_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    return [field for field in model._meta.fields if isinstance(field, EncryptedTextField)]


def sealed(row: models.Model, name: str) -> Any:
    """Return the ciphertext of a field, for another row of the same model."""
    return row.__dict__[name]


def is_readable(row: models.Model, *names: str) -> bool:
    """Return whether a key opens these encrypted fields of a row."""
    try:
        for name in names:
            getattr(row, name)
    except DecryptionError:
        return False
    return True


def digest(text: str) -> str:
    """Return the SHA-256 of a text that must not be kept or read, so that it can be recognised."""
    return hashlib.sha256(text.encode()).hexdigest()


class DigestField(models.CharField[str, str]):
    """The SHA-256 of another field of the row.

    It finds and compares values that are kept encrypted.
    """

    def __init__(self, *args: Any, of: str = "", **options: Any) -> None:
        self.of = of
        super().__init__(*args, **{"max_length": 64, "editable": False, **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def digest_of(self, text: str) -> str:
        return digest(text)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        if isinstance(model_instance.__dict__.get(self.of), Ciphertext):  # not assigned since
            kept: str = getattr(model_instance, self.attname)
            return kept
        value = self.digest_of(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value
