"""Delivery of events to webhooks, one attempt after the other until one succeeds or retries end.

A delivery is claimed, sent with no transaction open, and settled under its lease together with the
record of the attempt. A worker that dies in between costs no attempt: its lease ends, and another
worker sends the same bytes under the same `webhook-id`.
"""

import random
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import zip_longest
from time import monotonic

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from core.db import outbox
from core.db.outbox import OutboxState
from core.ops import faults, shares
from core.web import guarded_http
from webhooks.domain import notices, signing
from webhooks.models import Attempt, Delivery, Webhook

AT_ONCE = 4
# The part of the threads for deliveries that one account may hold at once.
_ACCOUNT_PART = 0.25
# The part that slow, failing or not yet proven endpoints may hold: of all threads, and of an
# account's.
_UNPROVEN_PART = 0.5
# An answer within this time is prompt.
_PROMPT_MILLISECONDS = 2_000
GIVEN_UP_AFTER = timedelta(days=5)
_JITTER = 0.2
_GONE = 410
# Shorter header values are not removed: they hide nothing, and are part of many words.
_SHORTEST_SECRET = 6

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """Result of an attempt. `error` is `http_<status>` or an error class of the HTTP client."""

    at: datetime
    milliseconds: int
    error: str = ""
    status: int | None = None
    body: str = ""
    retry_after: timedelta = timedelta(0)


def policy() -> guarded_http.Policy:
    return guarded_http.Policy(
        allowed=settings.WEBHOOK_ALLOWED_NETWORKS, ports=frozenset(settings.WEBHOOK_PORTS)
    )


def due(now: datetime) -> QuerySet[Delivery, Delivery]:
    """Return deliveries that are due, not leased, and for an active webhook with a free place."""
    # Counted among pending deliveries, which are few. All deliveries ever made are many.
    under_way = Delivery.objects.filter(_under_way(now)).order_by().values("webhook")
    full = under_way.annotate(places=Count("pk")).filter(places__gte=AT_ONCE).values("webhook")
    return Delivery.objects.filter(
        Q(lease_until=None) | Q(lease_until__lte=now),
        state=OutboxState.WAITING,
        due_at__lte=now,
        webhook__status=Webhook.Status.ACTIVE,
    ).exclude(webhook__in=full)


def _under_way(now: datetime) -> Q:
    return Q(state=OutboxState.WAITING, lease_until__gt=now)


def account_share(owner_id: int) -> dict[str, int]:
    """Return the limit of threads for one account, so that other accounts get the rest."""
    return {f"account {owner_id}": shares.places(shares.DELIVERIES, _ACCOUNT_PART)}


def _unproven_share(owner_id: int) -> dict[str, int]:
    """Return the limits for endpoints that may hang, so that others get the rest of the threads.

    The others are endpoints of other accounts, and the proven ones of the same account.
    """
    return {
        "unproven": shares.places(shares.DELIVERIES, _UNPROVEN_PART),
        f"unproven {owner_id}": shares.places(shares.DELIVERIES, _ACCOUNT_PART * _UNPROVEN_PART),
    }


def deliver(*, webhook_id: int) -> bool:
    """Claim the first delivery that this webhook may get, send and settle it.

    False if there is none. It reads the clock itself, since sending takes time.
    """
    with ExitStack() as places:
        delivery = _claim(webhook_id, places)
        if delivery is None:
            return False
        faults.point("delivery.claimed")
        try:
            outcome = send(delivery)
        except Exception:
            # An error in our code. It costs an attempt; otherwise the retries would never end.
            log.exception("delivery_broken", delivery=delivery.pk)
            outcome = Outcome(timezone.now(), 0, "internal")
        faults.point("delivery.sent")
        _settle(delivery, outcome)
        faults.point("delivery.settled")
    return True


def _claim(webhook_id: int, places: ExitStack) -> Delivery | None:
    """Claim a delivery. None if there is none, or no place is free for it."""
    now = timezone.now()
    with transaction.atomic():
        # Claims of one webhook run one after the other, so that the count of leased deliveries is
        # right.
        rows = Webhook.objects.filter(pk=webhook_id, status=Webhook.Status.ACTIVE)
        webhook = rows.only("owner_id", "is_prompt").select_for_update(no_key=True).first()
        if webhook is None:
            return None
        if not webhook.is_prompt:
            held = shares.held(_unproven_share(webhook.owner_id))
            if not places.enter_context(held):
                return None
        deliveries = Delivery.objects.filter(webhook=webhook_id)
        if deliveries.filter(_under_way(now)).count() >= AT_ONCE:
            return None
        return next(iter(outbox.claim(deliveries, now=now, most=1)), None)


def next_of_account(owner_id: int, *, besides: Collection[int]) -> int | None:
    """Return the webhook of this account that has waited longest. A proven one comes first."""
    rows = due(timezone.now()).filter(webhook__owner=owner_id).exclude(webhook__in=besides)
    ordered = rows.order_by("-webhook__is_prompt", "due_at")
    return ordered.values_list("webhook_id", flat=True).first()


def next_of_another_account() -> int | None:
    """Return the webhook that has waited longest, of accounts to which nothing is being sent.

    A proven one comes first.
    """
    now = timezone.now()
    served = Delivery.objects.filter(_under_way(now)).values("webhook__owner")
    rows = due(now).exclude(webhook__owner__in=served)
    return rows.order_by("-webhook__is_prompt", "due_at").values_list("webhook", flat=True).first()


def hand_out(now: datetime, *, most: int) -> list[int]:
    """Return the webhooks to deliver to, one for each turn that a worker may take.

    An account has at most `AT_ONCE` turns. Each account has its first turn before any has its
    second. A turn goes on to the account's other webhooks. Accounts with a proven endpoint come
    first and have up to `most` turns together. Accounts without one have up to `most` turns too. If
    there are more, chance decides.
    """
    counted = due(now).order_by("-webhook__is_prompt", "webhook")
    rows = counted.values_list("webhook__owner", "webhook", "webhook__is_prompt")
    accounts: dict[int, list[tuple[int, int]]] = defaultdict(list)
    proven: set[int] = set()
    for owner, webhook, is_prompt, waiting in rows.annotate(waiting=Count("pk")):
        accounts[owner].append((webhook, waiting))
        if is_prompt:
            proven.add(owner)
    turns = []
    for group in (proven, accounts.keys() - proven):
        owners = random.sample(sorted(group), len(group))
        queues = [_turns(accounts[owner]) for owner in owners]
        fair = [turn for round_ in zip_longest(*queues) for turn in round_ if turn is not None]
        turns += fair[:most]
    return turns


def _turns(webhooks: Sequence[tuple[int, int]]) -> list[int]:
    """Return each webhook once, then again, as often as deliveries wait for it.

    At most `AT_ONCE` turns.
    """
    found = [pk for turn in range(AT_ONCE) for pk, waiting in webhooks if waiting > turn]
    return found[:AT_ONCE]


def send(delivery: Delivery) -> Outcome:
    """Make one attempt, with no transaction open."""
    now, began, webhook = timezone.now(), monotonic(), delivery.webhook
    event = delivery.event
    signed = signing.headers(
        message_id=event.message_id,
        body=event.body,
        moment=now,
        signing_secrets=webhook.secrets_at(now),
    )
    fixed = {"Content-Type": "application/json", "User-Agent": "Parley-Webhooks/1.0"}
    try:
        answer = guarded_http.post(
            webhook.url,
            body=event.body.encode(),
            headers=webhook.headers | fixed | signed,
            timeout=min(webhook.timeout_seconds, delivery.seconds_to_send()),
            verify=webhook.verify_ssl,
            policy=policy(),
        )
    except guarded_http.SendError as error:
        return Outcome(now, _milliseconds(began), error.code)
    succeeded = 200 <= answer.status < 300
    return Outcome(
        now,
        _milliseconds(began),
        "" if succeeded else f"http_{answer.status}",
        answer.status,
        _without(webhook.headers.values(), answer.body.decode(errors="replace")),
        _retry_after(answer.headers.get("retry-after", ""), now),
    )


def _without(secrets: Iterable[str], text: str) -> str:
    """Remove these secrets and NUL characters from a text.

    Some endpoints repeat what they receive.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[secret]")
    return text.replace("\0", "\ufffd")


def _milliseconds(began: float) -> int:
    return int((monotonic() - began) * 1000)


def _retry_after(text: str, now: datetime) -> timedelta:
    """Return the wait of a Retry-After header, in seconds or a date (RFC 9110).

    Zero if unreadable.
    """
    if text.isascii() and text.isdigit() and len(text) < 8:
        return timedelta(seconds=int(text))
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return timedelta(0)
    return until - now if until.tzinfo else timedelta(0)


@transaction.atomic
def _settle(delivery: Delivery, outcome: Outcome) -> None:
    now, webhook = timezone.now(), _lock(delivery.webhook_id)
    if webhook is None:
        return  # deleted meanwhile, and the delivery with it
    if not outcome.error:
        held = outbox.settle([delivery], state=OutboxState.SENT, now=now)
    else:
        delay = _delay(delivery.attempts, webhook, outcome.retry_after)
        held = outbox.retry_later(delivery, now=now, error=outcome.error, delay=delay)
    record(delivery, outcome)
    if held:
        _judge(webhook, outcome, now)


def record(delivery: Delivery, outcome: Outcome) -> Attempt:
    return Attempt.objects.create(
        delivery=delivery,
        at=outcome.at,
        succeeded=not outcome.error,
        error=outcome.error,
        response_code=outcome.status,
        response_time_ms=outcome.milliseconds,
        response_body=outcome.body,
    )


def _lock(webhook_id: int) -> Webhook | None:
    return Webhook.objects.select_for_update(no_key=True).filter(pk=webhook_id).first()


def _delay(failed: int, webhook: Webhook, asked: timedelta) -> timedelta | None:
    """Return the delay before the next attempt, after `failed` earlier ones and this failure.

    None if the retries are used up. The endpoint may ask for more than the usual delay, up to twice
    as much.
    """
    if failed >= webhook.max_retries:
        return None
    usual = Delivery.DELAYS[failed] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
    return max(usual, min(asked, 2 * Delivery.DELAYS[failed]))


def _judge(webhook: Webhook, outcome: Outcome, now: datetime) -> None:
    """Record how a webhook answers. Stop one that is gone, or has taken nothing for five days."""
    is_prompt = not outcome.error and outcome.milliseconds <= _PROMPT_MILLISECONDS
    if webhook.is_prompt != is_prompt:
        webhook.is_prompt = is_prompt
        webhook.save(update_fields=["is_prompt"])
    if not outcome.error:
        if webhook.failing_since is not None:
            webhook.failing_since = None
            webhook.save(update_fields=["failing_since"])
        return
    if webhook.failing_since is None:
        webhook.failing_since = now
        webhook.save(update_fields=["failing_since"])
    if webhook.status != Webhook.Status.ACTIVE:
        return
    if outcome.status == _GONE:
        _disable(webhook, Webhook.DisabledReason.GONE, now)
    elif webhook.failing_since <= now - GIVEN_UP_AFTER:
        _disable(webhook, Webhook.DisabledReason.FAILING, now)


def _disable(webhook: Webhook, reason: Webhook.DisabledReason, now: datetime) -> None:
    webhook.status, webhook.disabled_reason = Webhook.Status.INACTIVE, reason
    webhook.save(update_fields=["status", "disabled_reason", "updated_at"])
    give_up_waiting(webhook, now=now)
    notices.disabled(webhook, now=now)
    log.info("webhook_disabled", webhook=webhook.pk, reason=reason)


def give_up_waiting(webhook: Webhook, *, now: datetime) -> None:
    """Fail the pending deliveries of a webhook that has become inactive. They can be recovered."""
    waiting = webhook.deliveries.filter(state=OutboxState.WAITING)
    waiting.update(
        state=OutboxState.FAILED, settled_at=now, last_error="inactive", lease="", lease_until=None
    )
