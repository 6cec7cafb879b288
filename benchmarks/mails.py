"""Benchmark of emails: the CPU of a worker for an email, beside that of its templates and its MIME.

A worker claims, writes, sends by SMTP and settles the confirmations of 100 bookings, in batches of
20. The bare loop renders the same templates with the same values, and builds the same parts with
Django's classes. Both run in one process, in turn, and the best round of each counts.

Bound: an email takes at most 3 times the CPU of the bare loop.
"""

from collections.abc import Callable, Mapping
from email.mime.text import MIMEText
from time import process_time
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation

from benchmarks.places import do, filled
from benchmarks.table import Row, finish
from notifications.domain.channels import EmailContent
from tests import wire

BOOKINGS, ROUNDS = 100, 5
TIMES_BARE = 3.0

_FILES = ("subject.txt", "body.txt", "body.html")
# Of a written mail: its kind, what its templates are given, its language, and what was made of it.
_Written = tuple[str, Mapping[str, Any], str, EmailContent]


def table() -> list[Row]:
    with filled(bookings=BOOKINGS, hosts=BOOKINGS) as deployment, wire.MailServer() as server:
        deployment.environment["EMAIL_URL"] = server.url
        ours, bare = do(deployment, "mails.measure")
    return [
        Row("an email: CPU to its templates and MIME", ours / bare, "times", TIMES_BARE),
        Row("an email", 1000 * ours, "ms of CPU"),
        Row("its templates and MIME", 1000 * bare, "ms of CPU"),
    ]


def measure() -> tuple[float, float]:
    """Return the CPU seconds of an email as a worker sends it, and as the bare loop builds it."""
    from benchmarks import roles
    from notifications.domain import notifications, sending
    from notifications.models import Notification

    roles.book_each(BOOKINGS)
    mails = Notification.objects.filter(channel=Notification.Channel.EMAIL)
    due = list(mails.filter(due_at__lte=timezone.now()).values_list("pk", flat=True))
    render, written = notifications.render_email, list[_Written]()

    def kept(name: str, context: Mapping[str, Any], *, language: str) -> Any:
        content = render(name, context, language=language)
        written.append((name, context, language, content))
        return content

    def send() -> None:
        while sending.deliver(channel=Notification.Channel.EMAIL):
            pass

    with patch.object(notifications, "render_email", kept):
        send()
    assert len(written) == len(due), (len(written), len(due))
    best = {"ours": float("inf"), "bare": float("inf")}
    for _round in range(ROUNDS):
        mails.filter(pk__in=due).update(state="waiting", attempts=0, settled_at=None)
        best["ours"] = min(best["ours"], _cpu(send))
        best["bare"] = min(best["bare"], _cpu(lambda: [_build(each) for each in written]))
    assert not mails.filter(pk__in=due).exclude(state="sent").exists()
    return best["ours"] / len(due), best["bare"] / len(due)


def _cpu(act: Callable[[], object]) -> float:
    began = process_time()
    act()
    return process_time() - began


def _build(written: _Written) -> bytes:
    name, context, language, content = written
    values = {**context, "public_url": settings.PUBLIC_URL, "subject": content["subject"]}
    with translation.override(language):
        subject, text, html = (render_to_string(f"emails/{name}/{file}", values) for file in _FILES)
    mail = EmailMultiAlternatives(subject.strip(), text, to=["john@example.com"])
    mail.attach_alternative(html, "text/html")
    mail.attach_alternative(content["ics"], f"text/calendar; method={content['ics_method']}")
    mail.attach(MIMEText(content["ics"], "calendar", "utf-8"))
    return mail.message().as_bytes()


if __name__ == "__main__":
    finish(table())
