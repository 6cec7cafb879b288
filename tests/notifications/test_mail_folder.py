"""The folder that takes the place of a mail server."""

import re
from email import message_from_bytes
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from tests import outbox

pytestmark = pytest.mark.django_db


def test_each_mail_is_a_file_of_its_own_that_only_the_owner_reads(
    settings: Settings, tmp_path: Path
) -> None:
    settings.EMAIL_BACKEND = "notifications.domain.mail_folder.EmailBackend"
    settings.EMAIL_FILE_PATH = str(tmp_path / "mail")
    for name in ("alice", "bob"):
        outbox.mail(f"{name}@example.com", now=timezone.now())
    outbox.send()
    files = sorted((tmp_path / "mail").iterdir())
    mails = [message_from_bytes(file.read_bytes()) for file in files]
    assert [mail["To"] for mail in mails] == ["alice@example.com", "bob@example.com"]
    assert all(re.fullmatch(r"\d{8}-\d{6}-\d{6}-ntf_\w+\.eml", file.name) for file in files)
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600", "0o600"]
