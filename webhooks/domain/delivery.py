"""An attempt of a delivery, and its settlement.

A delivery is claimed (`webhooks.domain.dispatch`), sent with no transaction open, and settled under
its lease together with the record of the attempt. A worker that dies in between costs no attempt:
its lease ends, and another worker sends the same bytes under the same `webhook-id`.
"""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from time import monotonic

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from core.db import outbox
from core.db.outbox import OutboxState
from core.text.links import cut_links
from core.web import guarded_http
from webhooks.domain import notices, signing
from webhooks.models import Attempt, Delivery, Webhook

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

    @property
    def is_prompt(self) -> bool:
        return not self.error and self.milliseconds <= _PROMPT_MILLISECONDS


def policy() -> guarded_http.Policy:
    return guarded_http.Policy(
        allowed=settings.WEBHOOK_ALLOWED_NETWORKS, ports=frozenset(settings.WEBHOOK_PORTS)
    )


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
    """Remove these secrets and NUL characters from a text, and cut the links in it.

    Some endpoints repeat what they receive, and links of an event act for their reader.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "[secret]")
    return str(cut_links(text.replace("\0", "\ufffd")))


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


class LeaseLost(Exception):
    """Some leases of a batch are no longer held, so each attempt must be settled by itself."""


@transaction.atomic
def settle(ended: Sequence[tuple[Delivery, Outcome]]) -> list[tuple[Delivery, Outcome]]:
    """Record these attempts, and settle the deliveries whose lease this worker still holds.

    Return those whose webhook another transaction holds, to be settled later: no account waits for
    another. The deliveries of a deleted webhook are gone with it. LeaseLost if the leases of some
    are lost.
    """
    now, wanted = timezone.now(), {row.webhook_id for row, _outcome in ended}
    free = Webhook.objects.select_for_update(no_key=True, skip_locked=True).filter(pk__in=wanted)
    known = {pk: record for pk, *record in free.values_list("pk", "is_prompt", "failing_since")}
    missing = wanted - known.keys()
    held_up = set(Webhook.objects.in_bulk(missing)) if missing else set()
    found = [(row, outcome) for row, outcome in ended if row.webhook_id in known]
    Attempt.objects.bulk_create(_attempt(row, outcome) for row, outcome in found)
    sent = [row for row, outcome in found if not outcome.error]
    settled = outbox.settle(sent, state=OutboxState.SENT, now=now)
    if 0 < settled < len(sent):
        raise LeaseLost
    # Most successes say nothing new about their webhook.
    news = {
        row.webhook_id
        for row, outcome in found
        if outcome.error or known[row.webhook_id] != [outcome.is_prompt, None]
    }
    webhooks = Webhook.objects.in_bulk(news)
    for row, outcome in found:
        webhook = webhooks.get(row.webhook_id)
        if webhook and (_fail(row, webhook, outcome, now) if outcome.error else settled):
            _judge(webhook, outcome, now)
    return [(row, outcome) for row, outcome in ended if row.webhook_id in held_up]


def _fail(row: Delivery, webhook: Webhook, outcome: Outcome, now: datetime) -> bool:
    """Put off the delivery or give it up. False if its lease is no longer held."""
    delay = _delay(row.attempts, webhook, outcome.retry_after)
    return bool(outbox.retry_later(row, now=now, error=outcome.error, delay=delay))


def record(row: Delivery, outcome: Outcome) -> Attempt:
    attempt = _attempt(row, outcome)
    attempt.save()
    return attempt


def _attempt(row: Delivery, outcome: Outcome) -> Attempt:
    return Attempt(
        delivery=row,
        at=outcome.at,
        succeeded=not outcome.error,
        error=outcome.error,
        response_code=outcome.status,
        response_time_ms=outcome.milliseconds,
        response_body=outcome.body,
    )


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
    if webhook.is_prompt != outcome.is_prompt:
        webhook.is_prompt = outcome.is_prompt
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
