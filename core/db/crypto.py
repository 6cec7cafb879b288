"""Encryption at rest: AES-256-GCM under a list of keys.

`settings.ENCRYPTION_KEYS` is a list of base64 keys of 32 bytes. The first encrypts; all decrypt, so
a key is retired by putting a new one before it, re-encrypting, and dropping the old one. Every
ciphertext is bound to a `context` (where it is kept), so that it cannot be moved to another column.
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

_NONCE_BYTES = 12


class DecryptionError(Exception):
    """No key at hand opens this text, or it was altered or moved. Never says what it held."""


@cache
def _cipher(key: str) -> tuple[str, AESGCM]:
    raw = base64.b64decode(key)
    return hashlib.sha256(raw).hexdigest()[:8], AESGCM(raw)


def encrypt(plain: str, *, context: str) -> str:
    """`<key id>.<base64 of nonce and ciphertext>` under the first key."""
    key_id, cipher = _cipher(settings.ENCRYPTION_KEYS[0])
    nonce = os.urandom(_NONCE_BYTES)
    sealed = nonce + cipher.encrypt(nonce, plain.encode(), context.encode())
    return f"{key_id}.{base64.b64encode(sealed).decode()}"


def decrypt(text: str, *, context: str) -> str:
    """What `encrypt` was given; DecryptionError for anything else."""
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


class EncryptedTextField(models.TextField[str, str]):
    """Text that the database only sees encrypted, bound to its model and field. Not searchable."""

    @property
    def _context(self) -> str:
        return f"{self.model._meta.label_lower}.{self.attname}"

    def get_prep_value(self, value: str | None) -> str | None:
        return None if value is None else encrypt(value, context=self._context)

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        return None if value is None else decrypt(value, context=self._context)

    def opened(self, value: str) -> str | None:
        """What `sealed` has read; None where no key opens it. Read so, one row spoils no others."""
        try:
            return decrypt(value, context=self._context)
        except DecryptionError:
            return None


def encrypted_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    return [field for field in model._meta.fields if isinstance(field, EncryptedTextField)]


def sealed(name: str) -> "models.ExpressionWrapper[models.F]":
    """What the database has in an encrypted field, for `EncryptedTextField.opened`."""
    return models.ExpressionWrapper(models.F(name), output_field=models.TextField())


def digest(text: str) -> str:
    """The SHA-256 by which something is recognised that must not be kept, or not be read."""
    return hashlib.sha256(text.encode()).hexdigest()


class DigestField(models.CharField[str, str]):
    """The SHA-256 of another field of the row: finds and compares what is kept encrypted."""

    def __init__(self, *args: Any, of: str = "", **options: Any) -> None:
        self.of = of
        super().__init__(*args, **{"max_length": 64, "editable": False, **options})

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "of": self.of}

    def digest_of(self, text: str) -> str:
        return digest(text)

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = self.digest_of(getattr(model_instance, self.of))
        setattr(model_instance, self.attname, value)
        return value
