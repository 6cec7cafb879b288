"""Encryption at rest: texts and keys that decrypt, and those that do not."""

import base64
from datetime import UTC, datetime

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from accounts.models import User
from core.db.crypto import Ciphertext, DecryptionError, decrypt, encrypt, is_readable, opened
from notifications.models import Notification, PushDevice

OLD, NEW = (base64.b64encode(bytes([number]) * 32).decode() for number in (1, 2))
NOW = datetime(2026, 1, 1, tzinfo=UTC)


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


# --- the field --------------------------------------------------------------------------------


def notification(user: User, content: str) -> Notification:
    return Notification.objects.create(
        user=user,
        channel="email",
        address=user.email,
        kind="test",
        is_written=True,
        content=content,
        due_at=NOW,
        created_at=NOW,
    )


def stored(column: str = "content", table: str = "notifications_notification") -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")
        return [text for (text,) in cursor.fetchall()]


def lose(row: Notification) -> None:
    """Put there what no key opens, as if its key had been taken away."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE notifications_notification SET content = 'lost.AAAA' WHERE id = %s", [row.pk]
        )


def test_the_database_never_sees_the_text(alice: User) -> None:
    notification(alice, "the signed link")
    assert "signed" not in stored()[0]
    assert Notification.objects.get().content == "the signed link"


def test_a_row_that_no_key_opens_is_loaded_and_spoils_no_other(alice: User) -> None:
    rows = [notification(alice, f"mail {number}") for number in range(3)]
    lose(rows[1])
    found = list(Notification.objects.order_by("pk"))
    assert [is_readable(row, "content") for row in found] == [True, False, True]
    assert [found[0].content, found[2].content] == ["mail 0", "mail 2"]
    with pytest.raises(DecryptionError, match=r"^cannot decrypt notifications\.notification\.con"):
        _ = found[1].content


def test_a_row_that_no_key_opens_can_be_saved(alice: User) -> None:
    lose(notification(alice, "mail"))
    row = Notification.objects.get()
    row.kind = "other"
    row.save(update_fields=["kind"])
    row.save()
    assert stored() == ["lost.AAAA"]
    row.content = "written anew"
    row.save()
    assert Notification.objects.get().content == "written anew"


@pytest.mark.parametrize("is_read", [True, False])
def test_a_row_that_is_saved_unchanged_is_not_encrypted_anew(alice: User, is_read: bool) -> None:
    notification(alice, "mail")
    before = stored()
    row = Notification.objects.get()
    assert not is_read or row.content == "mail"
    row.save()
    assert stored() == before
    row.content = "mail"
    row.save()
    assert stored() != before


def test_a_digest_stays_where_no_key_opens_what_it_is_of(alice: User, settings: Settings) -> None:
    settings.ENCRYPTION_KEYS = [OLD]
    made = PushDevice.objects.create(user=alice, token="one", platform="web")
    settings.ENCRYPTION_KEYS = [NEW]
    found = PushDevice.objects.get()
    found.save()
    assert (found.digest, is_readable(found, "token")) == (made.digest, False)
    found.token = "two"
    found.save()
    assert PushDevice.objects.get().digest not in ("", made.digest)


def test_columns_hold_the_ciphertext_which_shows_nothing(alice: User) -> None:
    notification(alice, "the signed link")
    [column] = Notification.objects.values_list("content", flat=True)
    assert isinstance(column, Ciphertext)
    assert str(column) == "<Ciphertext of notifications.notification.content>"
    assert opened(column) == opened("the signed link") == "the signed link"


def test_text_that_is_read_late_is_opened_as_well(alice: User) -> None:
    notification(alice, "the signed link")
    row = Notification.objects.only("kind").get()
    assert row.content == "the signed link"
