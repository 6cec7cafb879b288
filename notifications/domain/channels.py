"""Channels that send notifications: email and push messages.

A channel opens a session for a batch of messages and sends them one after the other. It raises
`ChannelError` for a message that was not sent. It opens no transaction and writes nothing to the
database.
"""

import smtplib
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from email.mime.base import MIMEBase
from email.mime.text import MIMEText
from functools import cache
from typing import TYPE_CHECKING, NotRequired, Protocol, TypeAlias, TypedDict, cast

import structlog
from anymail.exceptions import AnymailRecipientsRefused, AnymailUnsupportedFeature
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend

from core.ops import private_names

if TYPE_CHECKING:
    from firebase_admin import App

# For each request. Where nobody answers, Google's client asks four times for a token, or twice to
# send: either is well within a lease (`OUTBOX_LEASE_SECONDS`).
_PUSH_SECONDS = 10.0

# An SMTP server that answers so closes the connection (RFC 5321, 4.2.3).
_GOING_AWAY = 421

# A cached function may run more than once, and Firebase minds.
_FIREBASE_LOCK = threading.Lock()

log = structlog.get_logger(__name__)


class EmailContent(TypedDict):
    """Content of an email. `ics` is a calendar object and `ics_method` its method (RFC 5546).

    Both are in the message twice: as an alternative to the text, which calendar programs take for
    an invitation, and as a file. Answers go to `reply_to`, an address with or without a name.
    """

    subject: str
    text: str
    html: str
    ics: NotRequired[str]
    ics_method: NotRequired[str]
    reply_to: NotRequired[str]


class PushContent(TypedDict):
    """Content of a push message. `data` is for the app, beside the texts that the phone shows."""

    title: str
    body: str
    data: dict[str, str]


Content: TypeAlias = EmailContent | PushContent


class ChannelError(Exception):
    """The message was not sent, or its state is unknown.

    The text is an error class, not an address.
    """


class Refused(ChannelError):
    """This address refuses this message for good."""


class AddressGone(Refused):
    """This address does not exist any more."""


class NotConfigured(ChannelError):
    """The operator has not set this channel up."""


class Session(Protocol):
    def send(self, *, address: str, content: Content, message_id: str) -> None: ...


class Channel(Protocol):
    def session(self) -> AbstractContextManager[Session]: ...


class EmailChannel:
    """Email through Django's backend: SMTP, or the provider that the settings name."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        session = _EmailSession()
        try:
            yield session
        finally:
            session.close()


class _EmailSession:
    """Emails of one batch, over one connection. It opens another one after an error."""

    def __init__(self) -> None:
        self._connection: BaseEmailBackend | None = None

    def send(self, *, address: str, content: Content, message_id: str) -> None:
        parts = cast(EmailContent, content)
        try:
            try:
                self._send(_email(parts, address, message_id))
            except AnymailUnsupportedFeature:
                self._send_plainer(parts, address, message_id)
        except Exception as error:
            if _ends_session(error) or not _is_about_recipient(error):
                self.close()
            raise _email_error(error) from error

    def _send_plainer(self, parts: EmailContent, address: str, message_id: str) -> None:
        """Send it without the first thing that the provider refuses, or without both."""
        try:
            self._send(_email(parts, address, message_id, has_alternative=False))
        except AnymailUnsupportedFeature:
            self._send(
                _email(parts, address, message_id, has_alternative=False, has_metadata=False)
            )

    def _send(self, message: EmailMultiAlternatives) -> None:
        is_used = self._connection is not None
        try:
            self._hand_over(message)
        except Exception as error:
            if not is_used or not _ends_session(error):
                raise
            # Some servers end a session after some messages.
            self.close()
            self._hand_over(message)

    def _hand_over(self, message: EmailMultiAlternatives) -> None:
        if self._connection is None:
            opened = get_connection()
            opened.open()
            self._connection = opened
        message.connection = self._connection
        message.send()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # all that is to be sent is sent, or has its own error
                connection.close()


def _email(
    parts: EmailContent,
    address: str,
    message_id: str,
    *,
    has_alternative: bool = True,
    has_metadata: bool = True,
) -> EmailMultiAlternatives:
    """Return the message. Some providers refuse a calendar as an alternative, or metadata."""
    message = EmailMultiAlternatives(
        parts["subject"],
        parts["text"],
        to=[address],
        reply_to=[parts["reply_to"]] if parts.get("reply_to") else None,
        headers={
            # The same on every attempt: a retry after an unclear send is recognisable.
            "Message-ID": f"<{message_id}@{settings.PUBLIC_HOST}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(parts["html"], "text/html")
    if has_metadata:
        # anymail gives it back when it tells of a bounce.
        message.metadata = {"message_id": message_id}  # type: ignore[attr-defined]
    if "ics" in parts and "ics_method" in parts:
        ics, method = parts["ics"], parts["ics_method"]
        if has_alternative:
            # Exchange takes only an alternative for a meeting request (MS-OXCMAIL 2.2.3.3.2).
            message.attach_alternative(ics, f"text/calendar; method={method}")
        message.attach(_calendar_file(ics, method))
    return message


def _calendar_file(ics: str, method: str) -> MIMEBase:
    part = MIMEText(ics, "calendar", "utf-8")
    part.set_param("method", method)
    part.add_header("Content-Disposition", "attachment", filename="invite.ics")
    return part


def _ends_session(error: Exception) -> bool:
    """Return whether the server has ended the session, without refusing the message."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return any(code == _GOING_AWAY for code, _ in error.recipients.values())
    code = error.smtp_code if isinstance(error, smtplib.SMTPResponseException) else 0
    return isinstance(error, smtplib.SMTPServerDisconnected) or code == _GOING_AWAY


def _is_about_recipient(error: Exception) -> bool:
    return isinstance(error, smtplib.SMTPRecipientsRefused | AnymailRecipientsRefused)


def _email_error(error: Exception) -> ChannelError:
    """Return the channel's error for an error of any backend.

    Only a 5xx answer to every recipient, or a provider's refusal of all, is final.
    """
    name = type(error).__name__
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = {code for code, _ in error.recipients.values()}
        return Refused(name) if all(500 <= code < 600 for code in codes) else ChannelError(name)
    if isinstance(error, AnymailRecipientsRefused):
        return Refused(name)
    if isinstance(error, smtplib.SMTPResponseException):
        return ChannelError(f"{name} {error.smtp_code}")
    return ChannelError(name)


class PushChannel:
    """Push messages through Firebase Cloud Messaging. Its client keeps its connections itself."""

    @contextmanager
    def session(self) -> Iterator[Session]:
        yield self

    def send(self, *, address: str, content: Content, message_id: str) -> None:
        if not settings.FIREBASE_CREDENTIALS:
            _say_push_is_off()
            raise NotConfigured("no FIREBASE_CREDENTIALS")
        from firebase_admin import exceptions, messaging
        from google.auth.exceptions import GoogleAuthError

        parts = cast(PushContent, content)
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
