"""Benchmark of a booking as a visitor's browser makes it, compared with django-appointment.

Each of 48 visitors books 30 minutes of another host, eight visitors at once. A figure is the CPU of
all processes of the server for one booking. The CPU of PostgreSQL is not counted. The two projects
are asked in turn, round by round, and the best round of each counts.

A flow has the requests that a browser needs for a time on the first day that is shown, with those
of the page's scripts.

- Parley: the page, the page on the browser's clock (by script), the form, the POST, the page after
  it. The visitor has no account.
- django-appointment: the page, the days off and the times of a day (by script), the POST of a time,
  the form, the POST of the form, the page after it. The visitor is signed in.

Doubts are settled in favour of django-appointment:

- A new visitor makes two more requests, and gets a mail with a code. A row of its own shows that.
- Its day always has free times. Parley's script asks only if the browser's clock is not the host's.
- Its database has no other appointments. Parley's has 50 bookings of each host.
- Parley also counts each address, compresses its pages, and logs and measures each request.

Both run on granian, with as many processes and threads, and with the same releases of Python,
Django and psycopg. Nobody asks for static files. `benchmarks/appointment` has the settings.

Each booking sends two mails. django-appointment sends them within the requests, as it does without
django-q. Parley's worker sends them later. A row adds the CPU of one that does every kind of work.

Bound: Parley's flow takes at most half the CPU.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.browser import Browser
from benchmarks.load import Server, UnexpectedAnswer, cpu_seconds
from benchmarks.places import STOCK_COMMAND, do, filled, served
from benchmarks.table import Row, finish
from tests import wire
from tests.torture.deployment import ROOT, WORKER, Deployment, deployed
from tests.torture.served import Client, together

VISITORS, AT_ONCE, BOOKINGS, ROUNDS = 48, 8, 50, 5
TIMES_OTHER = 0.5

_PYTHON = ROOT / ".venv" / "appointment" / "bin" / "python"
_CLOCK = "zone=Europe/Berlin&hours=24"
_MAIL_SECONDS = 60.0
_numbers = count()

_Flow = Callable[[Client], None]


def table() -> list[Row]:
    cpu: dict[str, list[float]] = {"ours": [], "with mails": [], "theirs": [], "new": []}
    with ExitStack() as stack:
        mails, their_mails = (stack.enter_context(wire.MailServer()) for _ in range(2))
        parley = stack.enter_context(filled(bookings=BOOKINGS * VISITORS, hosts=VISITORS))
        pages = do(parley, "flow.pages")
        other = stack.enter_context(_other())
        offers = do(other, "appointment.roles.fill", VISITORS)
        server = stack.enter_context(served(parley, TRUSTED_PROXIES="1"))
        worker = stack.enter_context(parley.running(*WORKER, EMAIL_URL=mails.url))
        their_server = stack.enter_context(
            served(other, *STOCK_COMMAND, EMAIL_PORT=str(their_mails.port))
        )
        day = (datetime.now(UTC) + timedelta(days=7)).date().isoformat()
        known, new = (
            [partial(_book_other, each, day, mails) for each in offers]
            for mails in (None, their_mails)
        )
        assert len(pages) == VISITORS
        for done in range(1, ROUNDS + 1):
            before = cpu_seconds(worker)
            cpu["ours"].append(_drive(server, [partial(_book, page) for page in pages]))
            _wait_for(mails, 2 * VISITORS * done)
            sending = 1000 * (cpu_seconds(worker) - before) / VISITORS
            cpu["with mails"].append(cpu["ours"][-1] + sending)
            cpu["theirs"].append(_drive(their_server, known))
            cpu["new"].append(_drive(their_server, new))
        assert len(their_mails.received) == (2 + 3) * VISITORS * ROUNDS
    best = {name: min(rounds) for name, rounds in cpu.items()}
    return [
        Row(
            "public flow: CPU to django-appointment's",
            best["ours"] / best["theirs"],
            "times",
            TIMES_OTHER,
        ),
        Row("public flow", best["ours"], "ms of CPU"),
        Row("public flow, with its worker's mails", best["with mails"], "ms of CPU"),
        Row("public flow of django-appointment", best["theirs"], "ms of CPU"),
        Row("public flow of django-appointment, new visitor", best["new"], "ms of CPU"),
    ]


@contextmanager
def _other() -> Iterator[Deployment]:
    """Yield a deployment of the project with django-appointment, on a database of its own."""
    if not _PYTHON.exists():
        sys.exit("Needs django-appointment: make .venv/.appointment-installed")
    settings = "benchmarks.appointment.settings"
    with (
        TemporaryDirectory(prefix="parley-benchmark-") as name,
        deployed(Path(name), DJANGO_SETTINGS_MODULE=settings) as deployment,
    ):
        yield replace(deployment, python=str(_PYTHON))


def pages() -> list[str]:
    """Return the path of an event type of each host."""
    from scheduling.models import EventType

    offered = EventType.objects.filter(slug="30-minute-meeting").select_related("host")
    return [f"/{each.host.username}/{each.slug}" for each in offered]


def _drive(server: Server, flows: Sequence[_Flow]) -> float:
    """Let visitors go through these flows. Return the milliseconds of the server's CPU for one."""
    before = server.cpu_seconds()
    shifts = [partial(_work, server.port, flows[number::AT_ONCE]) for number in range(AT_ONCE)]
    together(shifts)
    return 1000 * (server.cpu_seconds() - before) / len(flows)


def _work(port: int, flows: Sequence[_Flow]) -> None:
    with closing(Client(port)) as client:
        for flow in flows:
            flow(client)


def _book(page: str, client: Client) -> None:
    number = next(_numbers)
    browser = Browser(client, _network(number))
    browser.open(page)
    browser.open(f"{page}?{_CLOCK}")
    *_, start = browser.offered("start")
    browser.open(f"{page}?{_CLOCK}&start={start}")
    browser.send(name="John Doe", email=f"visitor{number}@example.com", notes="", trap="")
    _expect(browser, "Booking confirmed")


def _book_other(
    offer: Mapping[str, Any], day: str, codes: wire.MailServer | None, client: Client
) -> None:
    """Book as the offer's client, who is signed in; with `codes` as a new visitor."""
    number = next(_numbers)
    browser = Browser(client, _network(number), {} if codes else offer["cookies"])
    service, staff = offer["service"], offer["staff"]
    browser.open(f"/appointment/request/{service}/")
    asked, by_script = "/appointment/ajax", {"X_Requested_With": "XMLHttpRequest"}
    browser.fetch(f"{asked}/request_staff_info/?staff_member={staff}", by_script)
    query = f"selected_date={day}&staff_member={staff}&service_id={service}"
    answer = browser.fetch(f"{asked}/available_slots/?{query}", by_script)
    start = datetime.fromisoformat(json.loads(answer)["available_slots"][0][0])
    end = start + timedelta(minutes=30)
    browser.send(
        staff_member=staff, date=day, start_time=start.time(), end_time=end.time(), service=service
    )
    email = f"visitor{number}@example.com"
    phone = {"phone_0": "US", "phone_1": "2025550143"}
    about = {"name": "John Doe", "address": "", "additional_info": "", "payment_type": "full"}
    browser.send(**phone, **about, **({"email": email} if codes else {}))
    if codes:
        mail, *_ = codes.wait_for(lambda mail: email in mail.recipients)
        browser.send(code=mail.text().split()[-1].rstrip("."))
    _expect(browser, "See you soon!")


def _network(number: int) -> str:
    """Return an address from which nobody else comes, so that no limit counts two visitors."""
    return f"10.0.{number // 250}.{number % 250 + 1}"


def _expect(browser: Browser, text: str) -> None:
    if text not in browser.page:
        raise UnexpectedAnswer(f"without {text!r}: {browser.page[:3000]}")


def _wait_for(mails: wire.MailServer, count: int) -> None:
    wire.until(lambda: len(mails.received) >= count, seconds=_MAIL_SECONDS, what=f"{count} mails")


if __name__ == "__main__":
    finish(table())
