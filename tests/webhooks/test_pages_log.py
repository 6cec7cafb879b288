"""Settings, webhooks: their state, test deliveries, and the delivery log."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import User
from core.db.outbox import OutboxState
from tests import factories, wire
from tests.delivering import deliver_due
from tests.pages import main, words
from webhooks.models import Attempt, Delivery, Webhook
from webhooks.pages import answers

HOUR = timedelta(hours=1)


@pytest.fixture
def page_of(webhook: Webhook) -> str:
    return f"/settings/webhooks/{webhook.pk}"


def in_state(
    webhook: Webhook,
    state: OutboxState,
    at: datetime,
    error: str = "",
    type_: str = "booking.created",
) -> Delivery:
    delivery = factories.delivery(webhook, now=at, type_=type_)
    Delivery.objects.filter(pk=delivery.pk).update(state=state, last_error=error)
    return delivery


def logged(client: Client, place: str) -> list[Delivery]:
    return [line.delivery for line in client.get(place).context["lines"]]


# --- the list -----------------------------------------------------------------------------------


def test_the_list_tells_how_each_stands(signed_in: Client, alice: User, now: datetime) -> None:
    webhook = factories.webhook(alice)
    delivery = factories.delivery(webhook, now=now)
    factories.attempt(delivery, at=now - HOUR)
    factories.attempt(delivery, at=now, status=500)
    quiet = factories.webhook(alice, name="Quiet", events=["meeting.created"])
    stopped = factories.webhook(alice, name="Stopped one")
    Webhook.objects.filter(pk=quiet.pk).update(status="inactive")
    Webhook.objects.filter(pk=stopped.pk).update(status="inactive", disabled_reason="failing")
    said = words(signed_in.get("/settings/webhooks")).partition("until they are accepted. ")[2]
    assert said == (
        "Main Webhook Active https://example.com/hook all events"
        " last delivered Mon 03/02/2026, 8:00 AM last failed Mon 03/02/2026, 9:00 AM"
        " Quiet Inactive https://example.com/hook 1 of 13 events"
        " nothing sent lately"
        " Stopped one Stopped https://example.com/hook"
        " Parley stopped it: nothing was delivered for five days."
        " all events nothing sent lately"
        " Times are in UTC."
    )


def test_without_any_it_says_what_one_is_for(signed_in: Client) -> None:
    said = words(signed_in.get("/settings/webhooks"))
    assert (
        "No webhooks yet Create one, choose the events that it receives, and send it a test" in said
    )


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_the_list_do_not_grow(
    signed_in: Client,
    alice: User,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for _ in range(count):
        factories.attempt(factories.delivery(factories.webhook(alice), now=now), at=now)
    # Session, person, webhooks and how many there are.
    with django_assert_num_queries(4):
        assert len(signed_in.get("/settings/webhooks").context["page"]) == count


# --- a test -------------------------------------------------------------------------------------


def test_a_test_tells_the_status_and_how_fast(
    signed_in: Client, webhook: Webhook, page_of: str, endpoint: wire.Endpoint
) -> None:
    endpoint.always(204)
    page = signed_in.post(f"{page_of}/test", follow=True)
    attempt = Attempt.objects.get()
    assert [call.event["type"] for call in endpoint.received] == ["webhook.test"]
    assert words(page).startswith(f"The test arrived: HTTP 204 in {attempt.response_time_ms} ms. ")


def test_a_refusal_is_told_without_what_the_other_side_said(
    signed_in: Client, webhook: Webhook, page_of: str, endpoint: wire.Endpoint
) -> None:
    endpoint.always(500, b"an internal matter")
    page = signed_in.post(f"{page_of}/test", follow=True)
    attempt = Attempt.objects.get()
    assert attempt.response_body == "an internal matter"
    assert words(page).startswith(
        f"The test failed: HTTP 500, after {attempt.response_time_ms} ms."
    )
    assert "an internal matter" not in page.content.decode()


def test_what_kept_an_answer_from_coming_is_told(
    signed_in: Client, webhook: Webhook, page_of: str, settings: Settings
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = []
    page = signed_in.post(f"{page_of}/test", follow=True)
    assert words(page).startswith("The test failed: the address is not public, after ")


def test_a_test_goes_to_one_that_is_inactive_too(
    signed_in: Client, webhook: Webhook, page_of: str, endpoint: wire.Endpoint
) -> None:
    Webhook.objects.update(status="inactive")
    signed_in.post(f"{page_of}/test")
    assert len(endpoint.received) == 1


def test_who_tests_too_often_waits(
    signed_in: Client, webhook: Webhook, page_of: str, endpoint: wire.Endpoint
) -> None:
    codes = [signed_in.post(f"{page_of}/test").status_code for _ in range(21)]
    assert codes == [302] * 20 + [429]
    assert len(endpoint.received) == 20


# --- the log ------------------------------------------------------------------------------------


def test_the_log_tells_each_attempt_and_when_the_next_is(
    signed_in: Client, alice: User, webhook: Webhook, page_of: str, now: datetime
) -> None:
    delivered, failed, waiting = (
        in_state(webhook, state, now, error)
        for state, error in (
            (OutboxState.SENT, ""),
            (OutboxState.FAILED, "inactive"),
            (OutboxState.WAITING, "http_500"),
        )
    )
    for status in (503, 200):
        factories.attempt(delivered, at=now, status=status)
    factories.attempt(waiting, at=now, status=500)
    Delivery.objects.filter(pk=waiting.pk).update(due_at=now + HOUR)
    at = "Mon 03/02/2026, 9:00 AM"
    said = words(signed_in.get(page_of)).partition("All Waiting Delivered Failed ")[2]
    assert said.startswith(
        f"booking.created Waiting {at} {waiting.event.message_id}"
        f" {at} : HTTP 500, 245 ms Next attempt: Mon 03/02/2026, 10:00 AM"
        f" booking.created Failed {at} {failed.event.message_id}"
        f" Not sent: the webhook was inactive."
        f" Send again booking.created {failed.event.message_id}"
        f" booking.created Delivered {at} {delivered.event.message_id}"
        f" {at} : HTTP 503, 245 ms {at} : HTTP 200, 245 ms"
        f" Send again booking.created {delivered.event.message_id}"
        " Times are in UTC."
    )


def test_every_class_of_error_has_words(signed_in: Client) -> None:
    codes = (
        "blocked_address",
        "invalid_url",
        "dns",
        "refused",
        "tls",
        "timeout",
        "invalid_answer",
        "inactive",
        "interrupted",
        "internal",
    )
    assert set(answers._ERRORS) == set(codes)


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("", ["failed", "sent", "waiting"]),
        ("?state=", ["failed", "sent", "waiting"]),
        ("?state=nonsense", ["failed", "sent", "waiting"]),
        ("?state=withdrawn", ["failed", "sent", "waiting"]),
        ("?state=waiting", ["waiting"]),
        ("?state=sent", ["sent"]),
        ("?state=failed", ["failed"]),
    ],
)
def test_it_is_filtered_by_state(
    signed_in: Client,
    webhook: Webhook,
    page_of: str,
    now: datetime,
    query: str,
    states: list[str],
) -> None:
    for state in (OutboxState.WAITING, OutboxState.SENT, OutboxState.FAILED):
        in_state(webhook, state, now)
    assert [one.state for one in logged(signed_in, page_of + query)] == states


def test_an_empty_log_says_what_will_stand_there(signed_in: Client, page_of: str) -> None:
    assert "Nothing was sent yet Send a test" in words(signed_in.get(page_of))
    said = words(signed_in.get(f"{page_of}?state=failed"))
    assert "None of its deliveries is in this state." in said


def test_twenty_stand_on_a_page_newest_first(
    signed_in: Client, webhook: Webhook, page_of: str, now: datetime
) -> None:
    made = [in_state(webhook, OutboxState.FAILED, now) for _ in range(21)][::-1]
    assert logged(signed_in, page_of) == made[:20]
    assert logged(signed_in, f"{page_of}?state=failed&page=2") == made[20:]
    assert logged(signed_in, f"{page_of}?page=x") == made[:20]
    assert 'href="?state=failed&amp;page=2"' in main(signed_in.get(f"{page_of}?state=failed"))


@pytest.mark.parametrize("count", [1, 3])
def test_queries_of_the_log_do_not_grow(
    signed_in: Client,
    webhook: Webhook,
    page_of: str,
    now: datetime,
    django_assert_num_queries: DjangoAssertNumQueries,
    count: int,
) -> None:
    for _ in range(count):
        factories.attempt(in_state(webhook, OutboxState.FAILED, now), at=now, status=500)
    # Session, person, webhook, count, deliveries with their events, attempts.
    with django_assert_num_queries(6):
        assert len(logged(signed_in, page_of)) == count


# --- sending again ------------------------------------------------------------------------------


def test_one_delivery_is_sent_again(
    signed_in: Client, webhook: Webhook, page_of: str, endpoint: wire.Endpoint, now: datetime
) -> None:
    failed = in_state(webhook, OutboxState.FAILED, now)
    answer = signed_in.post(
        f"{page_of}/deliveries/{failed.pk}/redeliver", {"next": f"{page_of}?state=failed"}
    )
    assert answer.headers["Location"] == f"{page_of}?state=failed"
    assert words(signed_in.get(page_of)).startswith("It is on its way again.")
    assert deliver_due()
    assert [call.message_id for call in endpoint.received] == [failed.event.message_id]


def test_but_not_while_it_waits_or_its_webhook_is_inactive(
    signed_in: Client, webhook: Webhook, page_of: str, now: datetime
) -> None:
    waiting = in_state(webhook, OutboxState.WAITING, now)
    failed = in_state(webhook, OutboxState.FAILED, now)
    place = f"{page_of}/deliveries/{{}}/redeliver"
    page = signed_in.post(place.format(waiting.pk), follow=True)
    assert words(page).startswith("This delivery is on its way already.")
    Webhook.objects.update(status="inactive")
    page = signed_in.post(place.format(failed.pk), follow=True)
    assert words(page).startswith("This webhook is inactive. Make it active first.")
    assert "/redeliver" not in main(page)
    assert "While it is inactive, nothing can be sent again but tests." in words(page)


def test_a_delivery_of_another_webhook_is_not_found(
    signed_in: Client, bob: User, page_of: str, now: datetime
) -> None:
    foreign = in_state(factories.webhook(bob), OutboxState.FAILED, now)
    answer = signed_in.post(f"{page_of}/deliveries/{foreign.pk}/redeliver")
    assert answer.status_code == 404
    foreign.refresh_from_db()
    assert foreign.state == OutboxState.FAILED


def test_what_never_arrived_since_a_day_of_ones_own_is_sent_again(
    signed_in: Client, alice: User, webhook: Webhook, page_of: str, now: datetime
) -> None:
    alice.timezone = "America/New_York"
    alice.save()
    midnight = now.replace(month=3, day=1, hour=5)  # in New York
    before = in_state(webhook, OutboxState.FAILED, midnight - timedelta(seconds=1))
    lost = [in_state(webhook, OutboxState.FAILED, midnight + n * HOUR) for n in range(2)]
    page = signed_in.post(f"{page_of}/recover", {"since": "2026-03-01"}, follow=True)
    assert words(page).startswith("2 deliveries are on their way again.")
    waiting = Delivery.objects.filter(state=OutboxState.WAITING).order_by("pk")
    assert list(waiting) == lost
    before.refresh_from_db()
    assert before.state == OutboxState.FAILED
    page = signed_in.post(f"{page_of}/recover", {"since": "2026-03-01"}, follow=True)
    assert words(page).startswith(
        "Nothing to resend: all deliveries since then have arrived or are waiting."
    )


def test_nothing_is_recovered_while_it_is_inactive(
    signed_in: Client, webhook: Webhook, page_of: str, now: datetime
) -> None:
    in_state(webhook, OutboxState.FAILED, now)
    Webhook.objects.update(status="inactive")
    page = signed_in.post(f"{page_of}/recover", {"since": "2026-03-01"}, follow=True)
    assert words(page).startswith("This webhook is inactive. Make it active first.")


@pytest.mark.parametrize(
    ("since", "why"),
    [
        ("", "This field is required."),
        ("yesterday", "Enter a valid date."),
        ("0001-01-01", "Ensure this value is greater than or equal to 2000-01-01."),
    ],
)
def test_a_day_that_is_none_is_told_beside_its_field(
    signed_in: Client, page_of: str, since: str, why: str
) -> None:
    page = signed_in.post(f"{page_of}/recover", {"since": since})
    assert why in words(page)
    assert '<details class="reveal" open>' in main(page)
    assert f'value="{since}"' in main(page) or not since


def test_the_last_day_of_all_is_a_day_too(signed_in: Client, alice: User, page_of: str) -> None:
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):
        alice.timezone = zone
        alice.save()
        answer = signed_in.post(f"{page_of}/recover", {"since": "9999-12-31"})
        assert answer.status_code == 302
