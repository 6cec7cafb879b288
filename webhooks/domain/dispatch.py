"""Dispatch of deliveries: which are sent next, and by how many threads.

One thread of a process dispatches. It claims deliveries to all webhooks in batches, hands each to a
thread that only sends, and settles the outcomes in batches. Several processes may dispatch at once.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from datetime import datetime
from itertools import zip_longest
from queue import Empty, SimpleQueue
from threading import Lock
from time import monotonic
from typing import NamedTuple

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Count, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from core.db import outbox
from core.db.outbox import OutboxState
from core.db.prepared import Prepared
from core.ops import faults, shares
from webhooks.domain import delivery
from webhooks.domain.delivery import Outcome
from webhooks.models import Delivery, Webhook

AT_ONCE = 4
# The part of the places for deliveries that one account may hold at once.
_ACCOUNT_PART = 0.25
# The part that slow, failing or not yet proven endpoints may hold: of all places, and of an
# account's.
_UNPROVEN_PART = 0.5
# Deliveries at once for each place, so that those to proven endpoints find more. A thread that only
# sends costs little: it has no connection to the database.
_THREADS_A_PLACE = 6
# How long an outcome waits for others, to be settled together with them.
_GATHER_SECONDS = 0.005
# How soon outcomes are settled that could not be, as their webhook was locked.
_AGAIN_SECONDS = 0.05

log = structlog.get_logger(__name__)


def threads() -> int:
    """Return how many deliveries this process sends at once, at most."""
    return _THREADS_A_PLACE * shares.places(shares.DELIVERIES)


class Due(NamedTuple):
    """A delivery that waits for a free place."""

    pk: int
    webhook_id: int
    owner_id: int
    is_prompt: bool

    @property
    def limits(self) -> dict[str, int]:
        """Return the shares of which it needs a place, each with its limit.

        Endpoints that may hang leave most of the threads to others: to endpoints of other accounts,
        and to the proven ones of the same account.
        """
        limits = {
            "sends": threads(),
            f"webhook {self.webhook_id}": AT_ONCE,
            f"account {self.owner_id}": shares.places(shares.DELIVERIES, _ACCOUNT_PART),
        }
        if not self.is_prompt:
            limits["unproven"] = shares.places(shares.DELIVERIES, _UNPROVEN_PART)
            part = _ACCOUNT_PART * _UNPROVEN_PART
            limits[f"unproven {self.owner_id}"] = shares.places(shares.DELIVERIES, part)
        return limits


def due(now: datetime) -> QuerySet[Delivery, Delivery]:
    """Return deliveries that are due, not leased, and for an active webhook with a free place."""
    # Counted among pending deliveries, which are few. All deliveries ever made are many.
    under_way = Delivery.objects.filter(_under_way(now)).order_by().values("webhook")
    full = under_way.annotate(places=Count("pk")).filter(places__gte=AT_ONCE).values("webhook")
    return Delivery.objects.filter(
        outbox.unleased(now),
        state=OutboxState.WAITING,
        due_at__lte=now,
        webhook__status=Webhook.Status.ACTIVE,
    ).exclude(webhook__in=full)


def _under_way(now: datetime) -> Q:
    return Q(state=OutboxState.WAITING, lease_until__gt=now)


def _first_of_each(now: datetime) -> QuerySet[Delivery, Delivery]:
    turn = Window(RowNumber(), partition_by="webhook", order_by=("due_at", "pk"))
    rows = due(now).annotate(turn=turn).filter(turn__lte=AT_ONCE)
    return rows.order_by("-webhook__is_prompt", "turn", "due_at", "pk")


_FIRST_OF_EACH = Prepared[Delivery](
    _first_of_each,
    lambda rows: rows.values_list("pk", "webhook", "webhook__owner", "webhook__is_prompt"),
)


def line_up(now: datetime, *, most: int) -> list[Due]:
    """Return deliveries that are due, in the order in which they get the next free places.

    At most `AT_ONCE` of a webhook. Each account has its first delivery before any has its second,
    and its proven endpoints before its others. Accounts with a proven endpoint come first, with up
    to `most` deliveries together. Accounts without one follow, with up to `most` too. If there are
    more, chance decides.
    """
    accounts: dict[int, list[Due]] = defaultdict(list)
    proven: set[int] = set()
    for row in _FIRST_OF_EACH.rows(now=now):
        each = Due(*row)
        accounts[each.owner_id].append(each)
        if each.is_prompt:
            proven.add(each.owner_id)
    line = []
    for group in (proven, accounts.keys() - proven):
        owners = random.sample(sorted(group), len(group))
        rounds = zip_longest(*[accounts[owner] for owner in owners])
        line += [each for round_ in rounds for each in round_ if each is not None][:most]
    return line


@transaction.atomic
def claim(wanted: Collection[Due]) -> list[Delivery]:
    """Claim these deliveries, and return those that this worker may send now.

    A webhook that another transaction holds is left out: no account waits for another.
    """
    now = timezone.now()
    # Claims of one webhook run one after the other, so that the count of leased deliveries is
    # right.
    active = Webhook.objects.filter(status=Webhook.Status.ACTIVE)
    free = active.select_for_update(no_key=True, skip_locked=True)
    webhooks = free.in_bulk({each.webhook_id for each in wanted})
    under_way = Delivery.objects.filter(_under_way(now), webhook__in=webhooks).order_by()
    taken = Counter(dict(under_way.values_list("webhook").annotate(places=Count("pk"))))
    found = []
    for each in wanted:
        webhook = webhooks.get(each.webhook_id)
        # One that is proven no longer needs another place.
        is_as_seen = webhook is not None and webhook.is_prompt == each.is_prompt
        if is_as_seen and taken[each.webhook_id] < AT_ONCE:
            taken[each.webhook_id] += 1
            found.append(each.pk)
    rows = Delivery.objects.filter(pk__in=found).select_related("event")
    claimed = outbox.claim(rows, now=now, most=len(found)) if found else []
    for row in claimed:
        row.webhook = webhooks[row.webhook_id]
    return claimed


class Dispatcher:
    """Loop of the one thread of a process that claims and settles."""

    def __init__(self) -> None:
        self._at_work = Lock()
        # What the loop wakes up for: an attempt that has ended, or None, a hint.
        self._events: SimpleQueue[tuple[Delivery, Outcome] | None] = SimpleQueue()
        # The places of what is under way.
        self._places: dict[tuple[int, str], ExitStack] = {}
        self._unsettled: list[tuple[Delivery, Outcome]] = []
        self._line: list[Due] = []

    def run(self) -> None:
        """Send what is due, until nothing is due and nothing is under way.

        Return at once if another thread is at it: that one looks again.
        """
        self._events.put(None)
        while not self._events.empty() and self._at_work.acquire(blocking=False):
            pool = ThreadPoolExecutor(threads(), "delivery")
            try:
                self._work(pool)
            finally:
                # After an error, the next run settles what is still under way.
                pool.shutdown(wait=False)
                self._at_work.release()

    def _work(self, pool: ThreadPoolExecutor) -> None:
        while True:
            self._hear()
            self._settle()
            self._fill(pool)
            if not self._places:
                return

    def _hear(self) -> None:
        """Take what has happened. Wait for it if something is under way, and then for the rest."""
        heard: list[tuple[Delivery, Outcome] | None] = []
        with suppress(Empty):
            if self._places:
                heard.append(self._events.get(timeout=_AGAIN_SECONDS if self._unsettled else None))
            until = monotonic() + _GATHER_SECONDS
            while len(heard) < len(self._places) and (wait := until - monotonic()) > 0:
                heard.append(self._events.get(timeout=wait))
            while True:
                heard.append(self._events.get_nowait())
        self._unsettled += [each for each in heard if each is not None]

    def _settle(self) -> None:
        """Settle the attempts that have ended, and free their places."""
        ended, self._unsettled = self._unsettled, []
        if not ended:
            return
        faults.point("delivery.sent")
        try:
            self._unsettled = delivery.settle(ended)
        except (InterfaceError, OperationalError):
            # The database is away, or preferred another transaction. They are tried again soon, or
            # by the next run if it stays away.
            self._unsettled = ended
            if shares.stopping.is_set():
                raise
            log.warning("deliveries_not_settled", exc_info=True)
            connection.close_if_unusable_or_obsolete()
            return
        except Exception:
            self._unsettled = self._settle_each(ended)
        faults.point("delivery.settled")
        left = {_key(row) for row, _outcome in self._unsettled}
        for row, _outcome in ended:
            if _key(row) not in left:
                self._places.pop(_key(row)).close()

    def _settle_each(self, ended: list[tuple[Delivery, Outcome]]) -> list[tuple[Delivery, Outcome]]:
        """Settle one after the other, so that one that cannot be settled takes no other with it.

        One whose lease ends is sent again.
        """
        left = []
        for each in ended:
            try:
                left += delivery.settle([each])
            except Exception:
                log.exception("delivery_not_settled", delivery=each[0].pk)
        return left

    def _fill(self, pool: ThreadPoolExecutor) -> None:
        """Start attempts while threads are free and something is due."""
        has_looked = False
        while (free := threads() - len(self._places)) > 0 and not shares.stopping.is_set():
            chosen = self._choose() if has_looked or len(self._line) >= free else {}
            if chosen:
                for row in self._claim(chosen):
                    try:
                        pool.submit(self._attempt, row)
                    except RuntimeError:  # no thread can be started
                        self._events.put((row, Outcome(timezone.now(), 0, "internal")))
            elif has_looked:
                return
            else:
                # More than there are threads for, since to look costs more than to claim.
                self._line, has_looked = line_up(timezone.now(), most=2 * threads()), True

    def _choose(self) -> dict[Due, ExitStack]:
        """Take from the line, in its order, what finds a place of each of its shares."""
        chosen, line = {}, []
        for each in self._line:
            place = ExitStack()
            if place.enter_context(shares.held(each.limits)):
                chosen[each] = place
            else:
                line.append(each)
        self._line = line
        return chosen

    def _claim(self, chosen: Mapping[Due, ExitStack]) -> list[Delivery]:
        rows: list[Delivery] = []
        try:
            rows = claim(chosen)
        finally:
            claimed = {row.pk: row for row in rows}
            for each, place in chosen.items():
                if each.pk in claimed:
                    self._places[_key(claimed[each.pk])] = place
                else:
                    place.close()
        faults.point("delivery.claimed")
        return rows

    def _attempt(self, row: Delivery) -> None:
        try:
            outcome = delivery.send(row)
        except Exception:
            # An error in our code. It costs an attempt; otherwise the retries would never end.
            log.exception("delivery_broken", delivery=row.pk)
            outcome = Outcome(timezone.now(), 0, "internal")
        self._events.put((row, outcome))


def _key(row: Delivery) -> tuple[int, str]:
    """Return the key of a claim: a delivery may be claimed again while it is under way."""
    return row.pk, row.lease


dispatcher = Dispatcher()
