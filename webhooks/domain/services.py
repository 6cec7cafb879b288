"""Actions of owners on their webhooks."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from accounts.domain import limits
from accounts.domain.services import lock
from accounts.models import User
from core.db import outbox
from core.db.ids import named
from core.db.outbox import OutboxState
from core.errors import Busy, Conflict, Invalid, LimitReached, NotFound
from core.ops import shares
from core.web import guarded_http
from webhooks.domain import delivery, publishing, signing
from webhooks.domain.events import EVENTS, TEST
from webhooks.models import Attempt, Delivery, Webhook

_GRACE = timedelta(hours=24)
MOST_HEADERS = 20
LONGEST_VALUE = 1_000
# Attempts of one delivery, after which it cannot be sent again.
MOST_ATTEMPTS = 100
# A person waits for the answer of a test, and a thread that answers requests waits too.
_TEST_SECONDS = 10
_TESTS_OF_PROCESS = 2
# How long a test counts as running without news. Its process may have died.
_TEST_RUNS = timedelta(seconds=15)
_INTERRUPTED = "interrupted"
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")
_OURS = re.compile(
    r"host|connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|expect|user-agent"
    r"|content-.*|webhook-.*",
    re.IGNORECASE,
)


def find(*, key: str, user: User) -> Webhook:
    """Return a webhook of this person by its number or uuid, or raise NotFound."""
    found = Webhook.objects.visible_to(user).with_stats().named(key).first()
    if found is None:
        raise NotFound("webhook not found")
    return found


def find_delivery(*, webhook: Webhook, key: str) -> Delivery:
    """Return a delivery to this webhook by its number or uuid, or raise NotFound."""
    rows = Delivery.objects.filter(named(key), webhook=webhook).select_related("event", "webhook")
    found = rows.first()
    if found is None:
        raise NotFound("delivery not found")
    return found


def create(*, owner: User, headers: Mapping[str, str] | None = None, **values: Any) -> Webhook:
    """Create a webhook with a secret of its own.

    Invalid or ValidationError for wrong values, LimitReached for one webhook too many.
    """
    webhook = Webhook(owner=owner, secret=signing.new_secret(), **values)
    webhook.headers = dict(headers or {})
    _check(webhook)
    with transaction.atomic():
        lock(owner.pk)
        limits.require_room("webhooks", Webhook.objects.visible_to(owner))
        webhook.save(force_insert=True)
    return webhook


@transaction.atomic
def update(
    *, webhook: Webhook, now: datetime, headers: Mapping[str, str] | None = None, **values: Any
) -> Webhook:
    """Change these values. An inactive webhook receives nothing, and its pending deliveries fail.

    A webhook that becomes active starts afresh, whatever stopped it. NotFound if it was deleted.
    Invalid or ValidationError for wrong values.
    """
    lock(webhook.owner_id)
    _lock(webhook)
    for name, value in values.items():
        setattr(webhook, name, value)
    if headers is not None:
        webhook.headers = dict(headers)
    if "url" in values:
        webhook.is_prompt = False
    if values.get("status") == Webhook.Status.ACTIVE:
        webhook.disabled_reason = ""
        webhook.failing_since = None
    _check(webhook)
    judged = ("disabled_reason", "failing_since", "is_prompt")
    webhook.save(update_fields=[*values, "sealed_headers", *judged, "updated_at"])
    if webhook.status == Webhook.Status.INACTIVE:
        delivery.give_up_waiting(webhook, now=now)
    return webhook


def _lock(webhook: Webhook, *, no_key: bool = True) -> None:
    """Lock the webhook and reload it. NotFound if it was deleted."""
    try:
        webhook.refresh_from_db(from_queryset=Webhook.objects.select_for_update(no_key=no_key))
    except Webhook.DoesNotExist:
        raise NotFound("webhook not found") from None


@transaction.atomic
def delete(*, webhook: Webhook) -> None:
    """Delete the webhook with its deliveries.

    Its lock makes this wait for publishing and settling, and makes them wait for this.
    """
    _lock(webhook, no_key=False)
    webhook.delete()


def _check(webhook: Webhook) -> None:
    check_url(webhook.url)
    _check_headers(webhook.headers)
    unknown = sorted(set(webhook.events) - set(EVENTS))
    if unknown or not webhook.events:
        message = _("Choose at least one event.")
        if unknown:
            message = _("There is no event %(event)s.") % {"event": unknown[0]}
        raise Invalid(message, field="events")
    webhook.events = [event for event in EVENTS if event in webhook.events]
    webhook.full_clean(exclude=["owner"])


def check_url(url: str) -> None:
    """Raise Invalid for a URL that can never be sent to.

    A name is resolved only at each attempt.
    """
    policy = delivery.policy()
    try:
        guarded_http.check(url, policy)
    except guarded_http.SendError as error:
        if error.code == "blocked_address":
            raise Invalid(_("This address is not public."), field="url") from None
        ports = get_text_list([str(port) for port in sorted(policy.ports)], _("or"))
        message = _("Use an https:// URL on port %(ports)s, without a user name.") % {
            "ports": ports
        }
        raise Invalid(message, field="url") from None


def _check_headers(headers: Mapping[str, str]) -> None:
    if len(headers) > MOST_HEADERS:
        message = _("Use at most %(count)d headers.") % {"count": MOST_HEADERS}
        raise Invalid(message, field="headers")
    for name, value in headers.items():
        field = f"headers.{name[:100]}"
        if not _HEADER.fullmatch(name):
            raise Invalid(_("This is no name of a header."), field=field)
        if _OURS.fullmatch(name):
            raise Invalid(_("This header is set by Parley."), field=field)
        if len(value) > LONGEST_VALUE or not (value.isascii() and value.isprintable()):
            message = _("Use at most %(count)d printable ASCII characters.")
            message %= {"count": LONGEST_VALUE}
            raise Invalid(message, field=field)


@transaction.atomic
def rotate_secret(*, webhook: Webhook, now: datetime) -> Webhook:
    """Make a new secret. The previous one also signs for 24 more hours."""
    lock(webhook.owner_id)
    _lock(webhook)
    webhook.previous_secret, webhook.secret = webhook.secret, signing.new_secret()
    webhook.previous_secret_until = now + _GRACE
    webhook.save(update_fields=["secret", "previous_secret", "previous_secret_until", "updated_at"])
    return webhook


def send_test(*, webhook: Webhook, now: datetime) -> tuple[Delivery, Attempt]:
    """Send one test now, whatever the webhook's status, and return its result. It is not retried.

    Do not call it in a transaction, because it waits for the endpoint. Busy if another test of the
    account is running, or too many tests of this process are.
    """
    with shares.held({"webhook tests": _TESTS_OF_PROCESS}) as is_held:
        if not is_held:
            raise _busy()
        made = _begin_test(webhook, now)
        webhook.timeout_seconds = min(webhook.timeout_seconds, _TEST_SECONDS)
        return made, _end_test(webhook, made, delivery.send(made))


def _busy() -> Busy:
    message = _("Another webhook test is running. Try again in a few seconds.")
    return Busy(message, retry_after=_TEST_SECONDS)


@transaction.atomic
def _begin_test(webhook: Webhook, now: datetime) -> Delivery:
    # Under the owner's lock, the tests of an account see each other in every process.
    lock(webhook.owner_id)
    _lock(webhook)
    # Around now, since clocks of several machines differ and one may be put back.
    running = Delivery.objects.filter(
        webhook__owner=webhook.owner_id,
        last_error=_INTERRUPTED,
        settled_at__range=(now - _TEST_RUNS, now + _TEST_RUNS),
    )
    if running.exists():
        raise _busy()
    event = publishing.write_event(
        owner=webhook.owner, type_=TEST, data={"message": "A test from Parley."}, now=now
    )
    # Settled from the start, so that no worker sends it and nothing is retried.
    return Delivery.objects.create(
        webhook=webhook,
        event=event,
        state=OutboxState.FAILED,
        due_at=now,
        created_at=now,
        settled_at=now,
        last_error=_INTERRUPTED,
        attempts=1,
    )


@transaction.atomic
def _end_test(webhook: Webhook, made: Delivery, outcome: delivery.Outcome) -> Attempt:
    _lock(webhook)
    attempt = delivery.record(made, outcome)
    made.state = OutboxState.FAILED if outcome.error else OutboxState.SENT
    made.last_error = outcome.error
    # Unless it has been asked for again meanwhile.
    still = Delivery.objects.filter(pk=made.pk, state=OutboxState.FAILED)
    still.update(state=made.state, last_error=made.last_error)
    return attempt


@transaction.atomic
def redeliver(*, found: Delivery, now: datetime) -> Delivery:
    """Send a delivery again, with fresh retries.

    Conflict if it is pending or its webhook is inactive. LimitReached after too many attempts.
    """
    _lock(found.webhook)
    if found.webhook.status != Webhook.Status.ACTIVE:
        raise Conflict(_("This webhook is inactive."), reason="inactive")
    if found.attempt_rows.count() >= MOST_ATTEMPTS:
        message = _("This delivery has had %(count)d attempts, and that is the limit.")
        raise LimitReached(message % {"count": MOST_ATTEMPTS})
    if not outbox.requeue(Delivery.objects.filter(pk=found.pk), now=now):
        raise Conflict(_("This delivery is on its way already."), reason="waiting")
    outbox.hint("webhooks.tasks.deliver")
    found.refresh_from_db()
    return found


@transaction.atomic
def recover(*, webhook: Webhook, since: datetime, now: datetime) -> int:
    """Send again what was created since then and never delivered. Return how many.

    Conflict if inactive.
    """
    _lock(webhook)
    if webhook.status != Webhook.Status.ACTIVE:
        raise Conflict(_("This webhook is inactive."), reason="inactive")
    failed = webhook.deliveries.filter(state=OutboxState.FAILED, created_at__gte=since)
    # One that failed when it was sent again has been delivered all the same.
    never = failed.exclude(event__type=TEST).exclude(attempt_rows__succeeded=True)
    attempts = Attempt.objects.filter(delivery__webhook=webhook).order_by().values("delivery")
    spent = attempts.annotate(count=Count("pk")).filter(count__gte=MOST_ATTEMPTS)
    never = never.exclude(pk__in=spent.values("delivery"))
    count = outbox.requeue(never, now=now)
    outbox.hint("webhooks.tasks.deliver")
    return count
