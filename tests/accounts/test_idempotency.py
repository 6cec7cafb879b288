"""Idempotency keys: actions run once, answers are replayed, and keys become free again."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.exceptions import NotFound, ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import ApiToken, Team, User
from core.api import idempotency
from core.api.idempotency import answer_once
from core.api.rendering import dumps
from core.errors import Conflict, InFlight, Invalid
from core.models import IdempotencyRecord
from core.people import privacy

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def ask(
    user: User,
    key: str | None = "key-1",
    body: bytes = b'{"name": "x"}',
    path: str = "/api/v1/things",
    method: str = "POST",
) -> Request:
    headers = {} if key is None else {"Idempotency-Key": key}
    request = Request(
        RequestFactory().generic(method, path, body, "application/json", headers=headers)
    )
    request.user = user
    request.auth = ApiToken(user=user)
    return request


def make_team() -> Response:
    team = Team.objects.create(name="Made")
    return Response({"data": {"id": team.pk, "at": NOW, "text": "ünï\u2028"}}, status=201)


def plain(response: Any) -> tuple[int, Any, str | None]:
    return (
        response.status_code,
        dumps(response.data),
        response.get("Idempotent-Replayed"),
    )


def teams() -> int:
    return Team.objects.count()


def test_without_a_key_it_is_just_done(alice: User) -> None:
    for _ in range(2):
        assert answer_once(ask(alice, key=None), make_team).status_code == 201
    assert (teams(), IdempotencyRecord.objects.count()) == (2, 0)


def test_the_same_request_is_answered_again_to_the_byte(alice: User) -> None:
    status, body, replayed = plain(answer_once(ask(alice), make_team))
    assert (status, replayed) == (201, None)
    assert b'"at":"2026-03-02T09:00:00Z"' in body
    assert plain(answer_once(ask(alice), make_team)) == (201, body, "true")
    assert plain(answer_once(ask(alice), make_team)) == (201, body, "true")
    assert teams() == 1


@pytest.mark.parametrize("body", [b'{"name": "y"}', b'{"name":"x"}', b'{"name": "x"} ', b""])
def test_another_body_is_refused(alice: User, body: bytes) -> None:
    answer_once(ask(alice), make_team)
    with pytest.raises(Invalid) as caught:
        answer_once(ask(alice, body=body), make_team)
    assert (caught.value.field, caught.value.message) == (
        "Idempotency-Key",
        "This key was used with another body.",
    )
    assert teams() == 1


def test_a_key_belongs_to_an_account_a_method_and_a_path(alice: User, bob: User) -> None:
    for request in (
        ask(alice),
        ask(bob),
        ask(alice, path="/api/v1/others"),
        ask(alice, method="PUT"),
        ask(alice, key="key-2"),
        ask(alice, key="KEY-1"),
    ):
        assert plain(answer_once(request, make_team))[2] is None
    assert teams() == 6


@pytest.mark.parametrize("key", ["", "x" * 256, "a\x00b", "a\tb", "ü", "a\x7f", "\x85"])
def test_what_cannot_be_a_key_is_refused(alice: User, key: str) -> None:
    with pytest.raises(Invalid) as caught:
        answer_once(ask(alice, key=key), make_team)
    assert caught.value.field == "Idempotency-Key"
    assert teams() == 0


@pytest.mark.parametrize("key", ["x" * 255, "~ !", "0"])
def test_what_can(alice: User, key: str) -> None:
    answer_once(ask(alice, key=key), make_team)
    assert plain(answer_once(ask(alice, key=key), make_team))[2] == "true"


def test_a_path_of_any_length_is_no_crash(alice: User) -> None:
    path = "/api/v1/teams/" + "9" * 1_000
    assert answer_once(ask(alice, path=path), make_team).status_code == 201


@pytest.mark.parametrize("error", [Conflict("taken"), ParseError(), NotFound(), ValueError()])
def test_a_try_that_fails_leaves_no_effect_and_the_key_free(alice: User, error: Exception) -> None:
    def fail() -> Response:
        make_team()
        raise error

    for key in ("key-1", None):
        with pytest.raises(type(error)):
            answer_once(ask(alice, key=key), fail)
    assert (teams(), IdempotencyRecord.objects.count()) == (0, 0)
    assert plain(answer_once(ask(alice, body=b"another"), make_team))[2] is None


@pytest.mark.parametrize("status", [199, 300, 400, 409, 500])
def test_an_answer_that_is_no_success_is_not_kept(alice: User, status: int) -> None:
    def refuse() -> Response:
        make_team()
        return Response({"error": "no"}, status=status)

    for key in ("key-1", None):
        assert answer_once(ask(alice, key=key), refuse).status_code == status
    assert (teams(), IdempotencyRecord.objects.count()) == (0, 0)


def test_the_answer_is_encrypted(alice: User) -> None:
    answer_once(ask(alice), lambda: Response({"secret": "whsec_abc"}, status=201))
    with connection.cursor() as cursor:
        cursor.execute("SELECT answer FROM core_idempotencyrecord")
        [[answer]] = cursor.fetchall()
    assert "whsec" not in answer
    assert IdempotencyRecord.objects.get().answer == '{"secret":"whsec_abc"}'


def test_a_key_is_kept_for_24_hours_and_then_used_anew(alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as traveller:
        answer_once(ask(alice), make_team)
        traveller.move_to(NOW + timedelta(hours=24) - timedelta(microseconds=1))
        assert plain(answer_once(ask(alice), make_team))[2] == "true"
        traveller.move_to(NOW + timedelta(hours=24))
        assert plain(answer_once(ask(alice, body=b"new"), make_team))[2] is None
        assert plain(answer_once(ask(alice, body=b"new"), make_team))[2] == "true"
        traveller.shift(timedelta(hours=23))
        assert plain(answer_once(ask(alice, body=b"new"), make_team))[2] == "true"
    assert (teams(), IdempotencyRecord.objects.count()) == (2, 1)


def test_a_try_that_fails_on_an_expired_key_leaves_it_free(alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as traveller:
        answer_once(ask(alice), make_team)
        traveller.shift(timedelta(hours=25))
        with pytest.raises(ZeroDivisionError):
            answer_once(ask(alice, body=b"new"), lambda: Response(1 / 0))
        assert plain(answer_once(ask(alice, body=b"newer"), make_team))[2] is None


def test_the_sweep_forgets_what_is_over(alice: User) -> None:
    with time_machine.travel(NOW, tick=False) as traveller:
        answer_once(ask(alice, key="old"), make_team)
        traveller.shift(timedelta(seconds=1))
        answer_once(ask(alice, key="new"), make_team)
    privacy.retain(now=NOW + timedelta(hours=24) - timedelta(microseconds=1))
    assert IdempotencyRecord.objects.count() == 2
    privacy.retain(now=NOW + timedelta(hours=24))
    assert [record.key for record in IdempotencyRecord.objects.all()] == ["new"]


def in_thread(act: Callable[[], object]) -> object:
    """Call `act` in a thread, then close the thread's connection.

    Return its result or exception.
    """
    try:
        return act()
    except Exception as error:
        return error
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_a_second_request_waits_for_the_first(alice: User) -> None:
    inside, waiting = threading.Event(), threading.Event()

    def slow() -> Response:
        inside.set()
        assert waiting.wait(10)
        return make_team()

    def second() -> object:
        assert inside.wait(10)
        waiting.set()
        return plain(answer_once(ask(alice), make_team))

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(in_thread, lambda: plain(answer_once(ask(alice), slow)))
        other = pool.submit(in_thread, second)
        first, again = one.result(), other.result()
    assert isinstance(first, tuple)
    assert again == (first[0], first[1], "true")
    assert teams() == 1


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_do_it_once(alice: User) -> None:
    with ThreadPoolExecutor(10) as pool:
        answers = list(
            pool.map(in_thread, [lambda: plain(answer_once(ask(alice), make_team))] * 10)
        )
    bodies = {answer[1] for answer in answers if isinstance(answer, tuple)}
    replayed = [answer[2] for answer in answers if isinstance(answer, tuple)]
    assert (len(bodies), sorted(map(str, replayed))) == (1, ["None", *["true"] * 9])
    assert teams() == 1


@pytest.mark.django_db(transaction=True)
def test_a_first_that_takes_too_long_is_a_conflict(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_PATIENCE_SECONDS", 1)
    inside, refused = threading.Event(), threading.Event()

    def slow() -> Response:
        inside.set()
        assert refused.wait(30)
        return make_team()

    with ThreadPoolExecutor(1) as pool:
        one = pool.submit(in_thread, lambda: plain(answer_once(ask(alice), slow)))
        assert inside.wait(10)
        with pytest.raises(InFlight):
            answer_once(ask(alice), make_team)
        refused.set()
        first = one.result()
    assert plain(answer_once(ask(alice), make_team)) == (*first[:2], "true")  # type: ignore[index]
    assert teams() == 1


@pytest.mark.django_db(transaction=True)
def test_when_the_first_fails_the_second_does_it(alice: User) -> None:
    inside, waiting = threading.Event(), threading.Event()

    def fail() -> Response:
        inside.set()
        assert waiting.wait(10)
        make_team()
        raise Conflict("taken")

    def second() -> object:
        assert inside.wait(10)
        waiting.set()
        return plain(answer_once(ask(alice), make_team))

    with ThreadPoolExecutor(2) as pool:
        one = pool.submit(in_thread, lambda: answer_once(ask(alice), fail))
        other = pool.submit(in_thread, second)
        assert isinstance(one.result(), Conflict)
        assert other.result()[2] is None  # type: ignore[index]
    assert teams() == 1


def patience() -> object:
    """Return this connection's lock timeout, in the database's own form."""
    with connection.cursor() as cursor:
        postgresql = connection.vendor == "postgresql"
        cursor.execute("SHOW lock_timeout" if postgresql else "PRAGMA busy_timeout")
        return cursor.fetchone()


@pytest.mark.django_db(transaction=True)
def test_only_the_wait_for_the_key_is_bounded(alice: User) -> None:
    usual = patience()
    seen = []

    def look() -> Response:
        seen.append(patience())
        return make_team()

    answer_once(ask(alice), look)
    assert seen == [usual]
    assert patience() == usual


@pytest.mark.django_db(transaction=True)
def test_the_effect_and_the_answer_are_one_transaction(alice: User) -> None:
    def look() -> Response:
        assert connection.in_atomic_block
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(in_thread, IdempotencyRecord.objects.count).result() == 0
        return make_team()

    answer_once(ask(alice), look)
    assert IdempotencyRecord.objects.get().status == 201


@pytest.mark.django_db(transaction=True)
def test_a_sweep_meanwhile_takes_nothing_that_is_in_use(alice: User) -> None:
    with time_machine.travel(timezone.now() - timedelta(hours=25)):
        answer_once(ask(alice), make_team)
    if connection.vendor == "postgresql":
        with ThreadPoolExecutor(1) as pool:
            sweeps = []

            def act() -> Response:
                sweeps.append(pool.submit(in_thread, lambda: privacy.retain(now=timezone.now())))
                return make_team()

            answer_once(ask(alice), act)
            sweeps[0].result()
    else:
        answer_once(ask(alice), make_team)
        privacy.retain(now=timezone.now())
    assert plain(answer_once(ask(alice), make_team))[2] == "true"


def test_it_may_run_inside_a_transaction(alice: User) -> None:
    with transaction.atomic():
        answer_once(ask(alice), make_team)
    assert teams() == 1
