"""Batches of emails: one session for many, and nothing that befalls one befalls the others."""

import time
from typing import Any

import pytest
from anymail.backends import test as anymail
from anymail.exceptions import AnymailRecipientsRefused
from django.core import mail as post
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from notifications.domain import channels, notifications, sending
from notifications.domain.sending import BATCH
from notifications.models import Notification
from tests import factories, wire
from tests.journeys.test_send_deadline import mail_server_that_drips
from tests.outbox import mail
from tests.pages import NOW, START

pytestmark = pytest.mark.django_db(transaction=True)


def mails(count: int) -> list[Notification]:
    return [mail(f"{number}@example.com", now=timezone.now()) for number in range(count)]


def results() -> list[tuple[str, int, str]]:
    """Return state, attempts and last error of each row. None is leased."""
    rows = Notification.objects.order_by("pk")
    assert set(rows.values_list("lease", "lease_until")) == {("", None)}
    return list(rows.values_list("state", "attempts", "last_error"))


SENT, UNTRIED = ("sent", 1, ""), ("waiting", 0, "")


def recipients(mail_server: wire.MailServer) -> list[str]:
    return [address for mail in mail_server.received for address in mail.recipients]


def test_a_batch_is_one_session(mail_server: wire.MailServer) -> None:
    mails(BATCH + 5)
    assert sending.deliver(channel="email")
    assert results() == [SENT] * BATCH + [UNTRIED] * 5
    assert list(mail_server.sessions.values()) == [BATCH]
    assert sending.deliver(channel="email")
    assert not sending.deliver(channel="email")
    assert recipients(mail_server) == [f"{number}@example.com" for number in range(BATCH + 5)]
    assert list(mail_server.sessions.values()) == [BATCH, 5]


def test_a_batch_costs_as_many_statements_as_one_message(
    alice: User, mail_server: wire.MailServer
) -> None:
    event_type = factories.event_type(alice)
    costs = []
    for count in (1, 8):
        Notification.objects.all().delete()
        for number in range(count):
            factories.booking(
                event_type, start=START.replace(hour=9 + number, minute=30 * (count % 2)), now=NOW
            )
        Notification.objects.exclude(kind="booking_confirmed").delete()
        with CaptureQueriesContext(connection) as asked:
            assert sending.deliver(channel="email")
        assert results() == [SENT] * 2 * count
        costs.append(len(asked))
    assert costs[0] == costs[1]


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ("550 5.1.1 No such user", ("failed", 1, "SMTPRecipientsRefused")),
        ("451 4.7.1 Greylisted", ("waiting", 1, "SMTPRecipientsRefused")),
    ],
)
def test_a_recipient_that_is_refused_costs_the_others_nothing(
    mail_server: wire.MailServer, answer: str, result: tuple[str, int, str]
) -> None:
    mails(4)
    mail_server.refused["1@example.com"] = answer
    assert sending.deliver(channel="email")
    assert results() == [SENT, result, SENT, SENT]
    assert list(mail_server.sessions.values()) == [4]


def test_rows_that_nobody_can_read_or_write_cost_the_others_nothing(
    alice: User, mail_server: wire.MailServer
) -> None:
    webhook = factories.webhook(alice)
    lost, *_sound = mails(3)
    with connection.cursor() as cursor:  # as if its key had been taken away
        cursor.execute(
            "UPDATE notifications_notification SET content = 'lost.AAAA' WHERE id = %s", [lost.pk]
        )
    gone = {"id": webhook.pk + 1, "reason": "gone"}
    unknown = {"id": webhook.pk, "reason": "no such reason"}
    right = {"id": webhook.pk, "reason": "gone"}
    rows = [
        notifications.email("webhook_disabled", facts, user=alice)
        for facts in (gone, unknown, right)
    ]
    rows.append(notifications.email("a_kind_of_another_version", right, user=alice))
    notifications.enqueue(rows, now=timezone.now())
    assert sending.deliver(channel="email")
    assert results() == [
        ("waiting", 1, "DecryptionError"),
        SENT,
        SENT,
        ("withdrawn", 1, "deleted"),
        ("waiting", 1, "ValueError"),
        SENT,
        ("waiting", 1, "KeyError"),
    ]
    assert recipients(mail_server) == ["1@example.com", "2@example.com", alice.email]


@pytest.mark.parametrize("is_rude", [False, True], ids=["421", "without a word"])
def test_a_session_that_the_server_ends_goes_on_in_another(
    mail_server: wire.MailServer, is_rude: bool
) -> None:
    mail_server.most, mail_server.is_rude = 3, is_rude
    mails(7)
    assert sending.deliver(channel="email")
    assert results() == [SENT] * 7
    assert recipients(mail_server) == [f"{number}@example.com" for number in range(7)]
    # The message that was refused goes first in the next one.
    assert list(mail_server.sessions.values()) == [4, 4, 1]


@pytest.mark.parametrize(
    ("number", "sessions"),
    [
        (0, [1, 2]),  # in a new session: it waits for its delay
        (1, [2, 1, 1]),  # in a used one: once more in a new one
    ],
)
def test_a_message_at_which_every_session_ends_is_sent_later(
    mail_server: wire.MailServer, number: int, sessions: list[int]
) -> None:
    mail_server.refused[f"{number}@example.com"] = "421 4.3.2 Shutting down"
    mails(3)
    assert sending.deliver(channel="email")
    wanted = [SENT] * 3
    wanted[number] = ("waiting", 1, "SMTPRecipientsRefused")
    assert results() == wanted
    assert list(mail_server.sessions.values()) == sessions


def test_rows_that_the_deadline_leaves_cost_no_attempt(settings: Settings) -> None:
    settings.OUTBOX_LEASE_SECONDS = 0.6
    mails(4)
    with mail_server_that_drips(settings, b"220-", drop=b"hello\r\n220-"):
        assert sending.deliver(channel="email")
    assert results() == [("waiting", 1, "timeout"), *[UNTRIED] * 3]


def test_a_turn_that_is_over_begins_no_message(mail_server: wire.MailServer) -> None:
    mails(4)
    assert sending.deliver(channel="email", until=time.monotonic())
    assert results() == [SENT, *[UNTRIED] * 3]


# --- providers ------------------------------------------------------------------------------------


class NoInvitations(anymail.TestPayload):  # type: ignore[misc]  # it has no types
    """Payload of a provider that takes no alternative to the text except HTML."""

    def add_alternative(self, content: str, mimetype: str) -> None:
        self.unsupported_feature(f"alternative part with type '{mimetype}'")


class Provider(anymail.EmailBackend):  # type: ignore[misc]  # it has no types
    def __init__(self, **options: Any) -> None:
        super().__init__(payload_class=NoInvitations, **options)

    def post_to_esp(self, payload: anymail.TestPayload, message: Any) -> Any:
        if "refused@example.com" in payload.recipient_emails:
            raise AnymailRecipientsRefused(email_message=message, payload=payload, backend=self)
        return super().post_to_esp(payload, message)


def invitation(address: str) -> None:
    """Enqueue an email with an entry for the calendar."""
    content: channels.EmailContent = {
        "subject": "s",
        "text": "t",
        "html": "h",
        "ics": "BEGIN:VCALENDAR",
        "ics_method": "REQUEST",
        "reply_to": "Jürgen Roe <jo@example.com>",
    }
    row = notifications.written("test", content, address=address)
    notifications.enqueue([row], now=timezone.now())


def test_a_provider_that_takes_no_invitation_gets_the_file_alone(settings: Settings) -> None:
    settings.EMAIL_BACKEND = f"{__name__}.Provider"
    post.outbox.clear()
    for name in ("jo", "refused", "joe"):
        invitation(f"{name}@example.com")
    assert sending.deliver(channel="email")
    assert results() == [SENT, ("failed", 1, "AnymailRecipientsRefused"), SENT]
    given = [vars(message)["anymail_test_params"] for message in post.outbox]
    assert [params["to"][0].addr_spec for params in given] == ["jo@example.com", "joe@example.com"]
    for params in given:
        assert "alternatives" not in params
        assert (params["text_body"], params["html_body"]) == ("t", "h")
        [file] = params["attachments"]
        assert (file.name, file.mimetype) == ("invite.ics", "text/calendar")
        assert str(params["reply_to"][0]) == "Jürgen Roe <jo@example.com>"
        # By which the provider tells of a bounce later.
        assert params["metadata"]["message_id"].startswith("ntf_")


def test_a_provider_that_takes_no_metadata_either_gets_the_file_alone(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: anymail.TestPayload, _metadata: object) -> None:
        self.unsupported_feature("metadata")

    monkeypatch.setattr(NoInvitations, "set_metadata", refuse)
    settings.EMAIL_BACKEND = f"{__name__}.Provider"
    post.outbox.clear()
    invitation("jo@example.com")
    assert sending.deliver(channel="email")
    assert results() == [SENT]
    [file] = vars(post.outbox[0])["anymail_test_params"]["attachments"]
    assert file.name == "invite.ics"
