import json
import re
from argparse import ArgumentTypeError
from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from core.db import outboxes
from core.db.outbox import OutboxState, unleased
from core.db.outboxes import Entry, Outbox, Search

_AGE = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_OLDEST = timedelta(days=36_500)
_MOST = 100_000
# Of sent and withdrawn rows there are many, and only their topic and account have an index.
_MANY = (OutboxState.SENT, OutboxState.WITHDRAWN)

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = (
        "List the messages of the outboxes in one state, send them again, or withdraw them. No"
        " content and no address is shown."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = [box.name for box in outboxes.outboxes()]
        parser.add_argument("act", choices=("list", "requeue", "withdraw"))
        parser.add_argument("--outbox", choices=names, help="only this one")
        parser.add_argument("--state", choices=OutboxState.values, default=OutboxState.FAILED.value)
        parser.add_argument("--kind", default="", help="such as booking_confirmed")
        parser.add_argument("--topic", default="", help="such as booking:17")
        parser.add_argument("--account", help="email address or number of a person")
        parser.add_argument(
            "--older-than", type=_age, help="due for longer than this, such as 90s, 10m, 2h or 3d"
        )
        parser.add_argument("--limit", type=int, default=100, help="at most so many rows")
        parser.add_argument("--json", action="store_true", help="list a JSON object a line")
        parser.add_argument("--yes", action="store_true", help="do it, and do not only count")

    def handle(self, *, act: str, **options: Any) -> None:
        now = timezone.now()
        age, state = options["older_than"], OutboxState(options["state"])
        search = Search(
            state=state,
            kind=options["kind"],
            topic=options["topic"],
            account=_number_of(options["account"]),
            due_before=now - age if age else None,
        )
        if state in _MANY and not search.topic and search.account is None:
            raise CommandError(f"Name a --topic or an --account: many rows are {state.value}.")
        if not 1 <= options["limit"] <= _MOST:
            raise CommandError(f"--limit must be from 1 to {_MOST}.")
        if act == "withdraw" and state in _MANY:
            raise CommandError("Only what waits or has failed can be withdrawn.")
        boxes = [box for box in outboxes.outboxes() if options["outbox"] in (None, box.name)]
        only = None if act == "list" else _open_to(act, state, now)
        rows = outboxes.entries(boxes, search, most=options["limit"] + 1, only=only)
        has_more, rows = len(rows) > options["limit"], rows[: options["limit"]]
        if act == "list":
            self._list(rows, as_json=options["json"])
        else:
            leased = sum(outboxes.leased(box, search, now=now) for box in boxes)
            self._change(act, boxes, rows, leased=leased, now=now, is_meant=options["yes"])
        if has_more:
            self.stderr.write(f"There are more: --limit is {options['limit']}.")

    def _list(self, rows: list[Entry], *, as_json: bool) -> None:
        if as_json:
            for row in rows:
                self.stdout.write(json.dumps(row._asdict() | {"due_at": row.due_at.isoformat()}))
            return
        texts = [tuple(name.replace("_", " ") for name in Entry._fields)]
        texts += [tuple(map(_text, row)) for row in rows]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        for text in texts:
            cells = (cell.ljust(width) for cell, width in zip(text, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())

    def _change(
        self,
        act: str,
        boxes: list[Outbox],
        rows: list[Entry],
        *,
        leased: int,
        now: datetime,
        is_meant: bool,
    ) -> None:
        done, refused = Counter[str](), Counter[str]()
        for box in boxes:
            keys = [row.id for row in rows if row.outbox == box.name]
            if is_meant:
                verb = box.requeue if act == "requeue" else box.withdraw
                done[box.name], why = outboxes.change(verb, keys, now=now)
                refused += why
            else:
                done[box.name] = len(keys)
        what = {"requeue": "Requeued", "withdraw": "Withdrawn"}[act] if is_meant else f"Would {act}"
        each = ", ".join(f"{name} {count}" for name, count in done.items())
        self.stdout.write(f"{what}: {each}.")
        for message, count in refused.items():
            self.stdout.write(f"Left alone: {count}. {message}")
        if leased:
            self.stdout.write(f"A worker holds {leased} of the rows. They are left alone.")
        if is_meant:
            log.info("outbox_changed", act=act, counts=dict(done))
        else:
            self.stdout.write("Nothing was changed: add --yes to do it.")


def _age(text: str) -> timedelta:
    match = _AGE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    age = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if age > _OLDEST:
        raise ArgumentTypeError("must be at most 100 years")
    return age


def _open_to(act: str, state: OutboxState, now: datetime) -> Q:
    """Return the condition for rows that may be changed so.

    A row that waits and was never tried is not requeued: a reminder waits for its time.
    """
    is_put_off = Q(attempts__gt=0) if (act, state) == ("requeue", OutboxState.WAITING) else Q()
    return unleased(now) & is_put_off


def _number_of(account: str | None) -> int | None:
    """Return the number of the account with this email address or number."""
    if account is None:
        return None
    people = get_user_model()._default_manager
    by = {"email": account.strip().lower()} if "@" in account else {"pk": account}
    try:
        return int(people.only("pk").get(**by).pk)
    except (ObjectDoesNotExist, ValueError):
        raise CommandError(f"There is no account {account}.") from None


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}Z"
    return "-" if value in (None, "") else str(value)
