"""A folder in place of a mail server, for a demo and for development."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone


class EmailBackend(BaseEmailBackend):
    """Writes each email into a file of its own in `EMAIL_FILE_PATH`, which a mail program opens.

    Names begin with the time in UTC, so that the newest comes last. Only the owner may read them.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(str(settings.EMAIL_FILE_PATH))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for email in email_messages:
            source: Any = email.message()
            key = str(source["Message-ID"]).strip("<>").partition("@")[0]
            file = folder / f"{timezone.now():%Y%m%d-%H%M%S-%f}-{key}.eml"
            file.touch(mode=0o600)
            file.write_bytes(source.as_bytes(linesep="\r\n"))
        return len(email_messages)
