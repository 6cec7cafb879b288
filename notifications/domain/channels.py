"""Channels that send a notification: email and push messages.

A channel turns one row's content into one message and sends it. It raises `ChannelError` if that
failed. It opens no transaction and writes nothing to the database.
"""

import json
import threading
from email.mime.base import MIMEBase
from email.mime.text import MIMEText
from functools import cache
from typing import TYPE_CHECKING, NotRequired, Protocol, TypedDict

import structlog
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from core.ops import private_names

if TYPE_CHECKING:
    from firebase_admin import App

# For each request. Where nobody answers, Google's client asks four times for a token, or twice to
# send: either is well within a lease (`OUTBOX_LEASE_SECONDS`).
_PUSH_SECONDS = 10.0

# A cached function may run more than once, and Firebase minds.
_FIREBASE_LOCK = threading.Lock()

log = structlog.get_logger(__name__)


class EmailContent(TypedDict):
    """Content of an email. `ics` is a calendar object and `ics_method` its method (RFC 5546).

    Both are attached to the message, beside the text.
    """

    subject: str
    text: str
    html: str
    ics: NotRequired[str]
    ics_method: NotRequired[str]


class PushContent(TypedDict):
    """Content of a push message. `data` is for the app, beside the texts that the phone shows."""

    title: str
    body: str
    data: dict[str, str]


class ChannelError(Exception):
    """The message was not sent, or its state is unknown.

    The text is an error class, not an address.
    """


class Refused(ChannelError):
    """This address refuses this message for good."""


class PersonGone(ChannelError):
    """The recipient, or the person whom the message is about, is deactivated."""


class AddressGone(Refused):
    """This address does not exist any more."""


class NotConfigured(ChannelError):
    """The operator has not set this channel up."""


class Channel(Protocol):
    def send(self, *, address: str, content: str, message_id: str) -> None: ...


class EmailChannel:
    """Email through Django's backend: SMTP, or the provider that the settings name."""

    def send(self, *, address: str, content: str, message_id: str) -> None:
        parts: EmailContent = json.loads(content)
        message = EmailMultiAlternatives(
            parts["subject"],
            parts["text"],
            to=[address],
            headers={
                # The same on every attempt: a retry after an unclear send is recognisable.
                "Message-ID": f"<{message_id}@{settings.PUBLIC_HOST}>",
                "Auto-Submitted": "auto-generated",
            },
        )
        message.attach_alternative(parts["html"], "text/html")
        if "ics" in parts and "ics_method" in parts:
            message.attach(_calendar_part(parts["ics"], parts["ics_method"]))
        try:
            message.send()
        except Exception as error:
            raise _email_error(error) from error


def _calendar_part(ics: str, method: str) -> MIMEBase:
    part = MIMEText(ics, "calendar", "utf-8")
    part.set_param("method", method)
    part.add_header("Content-Disposition", "attachment", filename="invite.ics")
    return part


def _email_error(error: Exception) -> ChannelError:
    """Return the channel's error for an error of any backend.

    Only a 5xx answer to every recipient is a final refusal.
    """
    import smtplib

    name = type(error).__name__
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = {code for code, _ in error.recipients.values()}
        return Refused(name) if all(500 <= code < 600 for code in codes) else ChannelError(name)
    if isinstance(error, smtplib.SMTPResponseException):
        return ChannelError(f"{name} {error.smtp_code}")
    return ChannelError(name)


class PushChannel:
    """Push messages through Firebase Cloud Messaging."""

    def send(self, *, address: str, content: str, message_id: str) -> None:
        if not settings.FIREBASE_CREDENTIALS:
            _say_push_is_off()
            raise NotConfigured("no FIREBASE_CREDENTIALS")
        from firebase_admin import exceptions, messaging
        from google.auth.exceptions import GoogleAuthError

        parts: PushContent = json.loads(content)
        message = messaging.Message(
            notification=messaging.Notification(title=parts["title"], body=parts["body"]),
            data={**parts["data"], "message_id": message_id},
        )
        # As an argument it warns: Firebase would rather have installation ids, but what apps
        # register with us are registration tokens.
        message.token = address
        try:
            messaging.send(message, app=firebase())
        except messaging.UnregisteredError as error:
            raise AddressGone("unregistered") from error
        except (messaging.SenderIdMismatchError, exceptions.InvalidArgumentError) as error:
            raise Refused(error.code) from error
        except exceptions.FirebaseError as error:
            raise ChannelError(error.code) from error
        except GoogleAuthError as error:
            raise ChannelError(type(error).__name__) from error


@cache
def _say_push_is_off() -> None:
    log.info("push_is_off", reason="FIREBASE_CREDENTIALS is not set")


def firebase() -> "App":
    """Return the Firebase client of this process. All its threads share it."""
    with _FIREBASE_LOCK:
        return _firebase()


@cache
def _firebase() -> "App":
    """Make the client. Its import is late, because it is slow and most processes never push."""
    import firebase_admin
    from firebase_admin import credentials

    # Else the client sleeps for as long as a Retry-After says, and for six minutes over a
    # certificate that it does not trust, while the lease runs out and another worker sends as well.
    retries = private_names.firebase_retries()
    retries.respect_retry_after_header = False
    retries.other = 0
    if settings.FIREBASE_ENDPOINT:
        private_names.firebase_messages().FCM_URL = settings.FIREBASE_ENDPOINT
    return firebase_admin.initialize_app(
        credentials.Certificate(settings.FIREBASE_CREDENTIALS),
        {"httpTimeout": _PUSH_SECONDS},
        name="parley",
    )
