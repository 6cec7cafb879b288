"""One attempt after the other until a webhook has taken an event, or its retries are used up.

A delivery is claimed, sent with no transaction open, and settled under its lease together with the
record of the attempt. Whoever dies in between costs no attempt: the lease ends, and another sends
the same bytes under the same `webhook-id`.
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
from webhooks.domain import signing
from webhooks.messages import notifications
from webhooks.models import Attempt, Delivery, Webhook

AT_ONCE = 4
# Of the threads for deliveries, how much one account may hold at once.
_ACCOUNT_PART = 0.25
# How much those endpoints may hold that are slow, failing or not yet proven: of all, of an account.
_UNPROVEN_PART = 0.5
# An answer within this time is prompt.
_PROMPT_MILLISECONDS = 2_000
GIVEN_UP_AFTER = timedelta(days=5)
_JITTER = 0.2
_GONE = 410
# Of header values: shorter ones hide nothing, and are part of many words.
_SHORTEST_SECRET = 6

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt. `error` is `http_<status>` or a class of error of the client's."""

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
    """What may be sent: due, in nobody's hands, and to an active webhook that has a place free."""
    # Counted among what waits, of which there is little; all that was ever told is much.
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
    """Return the limit by which one account leaves threads to the others."""
    return {f"account {owner_id}": shares.places(shares.DELIVERIES, _ACCOUNT_PART)}


def _unproven_share(owner_id: int) -> dict[str, int]:
    """Return the limits by which endpoints that may hang leave threads to the others.

    To those of other accounts, and to the proven ones of the same account.
    """
    return {
        "unproven": shares.places(shares.DELIVERIES, _UNPROVEN_PART),
        f"unproven {owner_id}": shares.places(shares.DELIVERIES, _ACCOUNT_PART * _UNPROVEN_PART),
    }


def deliver(*, webhook_id: int) -> bool:
    """Claim the first that may be sent to this webhook, send and settle it; False if there is none.

    Reads the clock itself, since sending takes time.
    """
    with ExitStack() as places:
        delivery = _claim(webhook_id, places)
        if delivery is None:
            return False
        faults.point("delivery.claimed")
        try:
            outcome = send(delivery)
        except Exception:
            # A fault of ours. It costs an attempt: else it would be tried for ever.
            log.exception("delivery_broken", delivery=delivery.pk)
            outcome = Outcome(timezone.now(), 0, "internal")
        faults.point("delivery.sent")
        _settle(delivery, outcome)
        faults.point("delivery.settled")
    return True


def _claim(webhook_id: int, places: ExitStack) -> Delivery | None:
    """None too where it would take a place that its kind has none free of."""
    now = timezone.now()
    with transaction.atomic():
        # One after the other per webhook, so that those under way are counted truly.
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
        return outbox.claim(deliveries, now=now)


def next_of_account(owner_id: int, *, besides: Collection[int]) -> int | None:
    """Return the webhook of this account that has waited longest, a proven one first."""
    rows = due(timezone.now()).filter(webhook__owner=owner_id).exclude(webhook__in=besides)
    ordered = rows.order_by("-webhook__is_prompt", "due_at")
    return ordered.values_list("webhook_id", flat=True).first()


def next_of_another_account() -> int | None:
    """Return the webhook that has waited longest, of an account to which nothing is being sent.

    A proven one comes first.
    """
    now = timezone.now()
    served = Delivery.objects.filter(_under_way(now)).values("webhook__owner")
    rows = due(now).exclude(webhook__owner__in=served)
    return rows.order_by("-webhook__is_prompt", "due_at").values_list("webhook", flat=True).first()


def hand_out(now: datetime, *, most: int) -> list[int]:
    """Return the webhooks to deliver to, one for each turn that a worker may take.

    An account has at most `AT_ONCE` turns, and each has its first before any has its second. In a
    turn its other webhooks follow. Accounts with a proven endpoint come first and have up to `most`
    turns; so have those without. If there are more, chance decides.
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
    """Each webhook once, then each a second time, as far as so much waits for it."""
    found = [pk for turn in range(AT_ONCE) for pk, waiting in webhooks if waiting > turn]
    return found[:AT_ONCE]


def send(delivery: Delivery) -> Outcome:
    """One attempt, with no transaction open."""
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
    """A text that a database takes, without these: some endpoints repeat what they are sent."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[secret]")
    return text.replace("\0", "\ufffd")


def _milliseconds(began: float) -> int:
    return int((monotonic() - began) * 1000)


def _retry_after(text: str, now: datetime) -> timedelta:
    """The wait that the header asks for, in seconds or by a date (RFC 9110); none otherwise."""
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
        held = outbox.settle(delivery, state=OutboxState.SENT, now=now)
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
    """How long after so many failed attempts before this one; None where the retries are used up.

    What the other side asks for is granted from once to twice the usual.
    """
    if failed >= webhook.max_retries:
        return None
    usual = Delivery.DELAYS[failed] * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311
    return max(usual, min(asked, 2 * Delivery.DELAYS[failed]))


def _judge(webhook: Webhook, outcome: Outcome, now: datetime) -> None:
    """Note how it answers. Stop telling a webhook that is gone, or has taken nothing for days."""
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
    notifications.disabled(webhook, now=now)
    log.info("webhook_disabled", webhook=webhook.pk, reason=reason)


def give_up_waiting(webhook: Webhook, *, now: datetime) -> None:
    """What waits for a webhook that is no longer told anything has failed; it can be recovered."""
    waiting = webhook.deliveries.filter(state=OutboxState.WAITING)
    waiting.update(
        state=OutboxState.FAILED, settled_at=now, last_error="inactive", lease="", lease_until=None
    )
