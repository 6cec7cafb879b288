"""Encryption at rest: what opens a text, and what does not."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from core.db.crypto import DecryptionError, decrypt, encrypt
from notifications.models import Notification

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))


@given(st.text())
def test_what_was_encrypted_is_read_again(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert decrypt(encrypt(text, context="here"), context="here") == text


def test_the_same_text_never_looks_the_same_twice() -> None:
    assert encrypt("secret", context="here") != encrypt("secret", context="here")


def test_a_text_that_was_moved_elsewhere_does_not_open() -> None:
    with pytest.raises(DecryptionError):
        decrypt(encrypt("secret", context="here"), context="there")


@pytest.mark.parametrize("position", [0, 9, 20, -2])
def test_a_text_that_was_altered_does_not_open(position: int) -> None:
    sealed = encrypt("secret", context="here")
    letter = "A" if sealed[position] != "A" else "B"
    altered = sealed[:position] + letter + sealed[position:][1:]
    with pytest.raises(DecryptionError, match=r"^cannot decrypt here$"):
        decrypt(altered, context="here")


@pytest.mark.parametrize("junk", ["", ".", "secret", "00000000.", "\x00", "é.é"])
def test_junk_does_not_open(junk: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(junk, context="here")


def test_a_key_is_retired_by_putting_a_new_one_before_it(settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    sealed = encrypt("secret", context="here")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert decrypt(sealed, context="here") == "secret"
    assert encrypt("secret", context="here")[:8] != sealed[:8]
    settings.ENCRYPTION_KEYS = [NEW]
    with pytest.raises(DecryptionError):
        decrypt(sealed, context="here")


def test_the_database_never_sees_the_text(alice: User) -> None:
    from datetime import UTC, datetime

    from django.db import connection

    now = datetime(2026, 1, 1, tzinfo=UTC)
    Notification.objects.create(
        user=alice,
        channel="email",
        address=alice.email,
        kind="test",
        content="the signed link",
        due_at=now,
        created_at=now,
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM notifications_notification")
        (stored,) = cursor.fetchone()
    assert "signed" not in stored
    assert Notification.objects.get().content == "the signed link"
