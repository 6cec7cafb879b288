"""Idempotency keys: a request that is sent again gets the same answer and has no second effect.

The answer is kept in the transaction that has the effect. So a request that fails or is killed
leaves its key free.
"""

import hashlib
import sqlite3
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from typing import cast

import orjson
from django.db import OperationalError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.rendering import dumps
from core.db.retrying import retrying, sqlstate
from core.errors import Conflict, InFlight, Invalid
from core.models import IdempotencyRecord

KEPT = timedelta(hours=24)
_PATIENCE_SECONDS = 5
_HEADER = "Idempotency-Key"
_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's lock_timeout has passed


def answer_once(
    request: Request,
    act: Callable[[], Response],
    *,
    about: Callable[[Response], str] = lambda _made: "",
) -> Response:
    """Run `act` in a transaction, or return its earlier answer to this Idempotency-Key.

    `act` may run more than once (see `core.db.retrying`). Only 2xx answers are kept and committed.
    `about` names the topic of an answer that describes other people.

    Invalid for a malformed key, or a key that was used with another body. InFlight if the first
    request has not ended after 5 seconds. Conflict if the answer has been forgotten.
    """
    if _HEADER not in request.headers:
        return retrying(transaction.atomic(lambda: _run(act)))
    draft = _draft(request)

    def write() -> Response:
        with ExitStack() as stack:
            record = _claim(draft, stack)
            kept = _kept(record, draft)
            if kept is not None:
                return kept
            response = _run(act)
            if not transaction.get_rollback():
                draft.pk, draft.status = record.pk, response.status_code
                draft.answer, draft.topic = dumps(response.data).decode(), about(response)
                draft.save(force_update=True)
            return response

    return retrying(write)


def earlier_answer(request: Request) -> Response | None:
    """Return the kept answer to this Idempotency-Key. None if there is none.

    For a view whose work begins before the transaction of `answer_once`. Errors as there.
    """
    if _HEADER not in request.headers:
        return None
    draft = _draft(request)
    names = {"user": draft.user_id, "method": draft.method, "path": draft.path, "key": draft.key}
    record = IdempotencyRecord.objects.filter(**names).first()
    return _kept(record, draft) if record else None


def forget(*, topics: Collection[str]) -> None:
    """Forget the answers about these topics.

    The keys stay used, so nothing is done a second time.
    """
    IdempotencyRecord.objects.filter(topic__in=topics).update(answer="")


def outdated(now: datetime) -> QuerySet[IdempotencyRecord, IdempotencyRecord]:
    """Return the answers whose 24 hours are over."""
    return IdempotencyRecord.objects.filter(created_at__lte=now - KEPT)


def _run(act: Callable[[], Response]) -> Response:
    """Return the answer of `act`.

    Roll the transaction around it back unless the answer is a success.
    """
    response = act()
    if not 200 <= response.status_code < 300:
        transaction.set_rollback(True)
    return response


def _draft(request: Request) -> IdempotencyRecord:
    key = request.headers[_HEADER]
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Invalid("A key is 1 to 255 printable ASCII characters.", field=_HEADER)
    return IdempotencyRecord(
        user_id=cast(int, request.user.pk),
        method=request.method or "",
        # A path of a view is never this long. A longer path finds nothing, and its answer is not
        # kept.
        path=request.path_info[:200],
        key=key,
        body_digest=hashlib.sha256(request.body).hexdigest(),
        created_at=timezone.now(),
    )


def _claim(draft: IdempotencyRecord, stack: ExitStack) -> IdempotencyRecord:
    """Open the transaction and lock the record of this key. A new key gets a record of `status` 0.

    The second request with a key waits here: on PostgreSQL for the row, on SQLite for the database.
    """
    with _bounded_wait(stack):
        new = IdempotencyRecord(
            user_id=draft.user_id,
            method=draft.method,
            path=draft.path,
            key=draft.key,
            created_at=draft.created_at,
        )
        # An update that changes nothing locks the record that is there and tells its id.
        [row] = IdempotencyRecord.objects.bulk_create(
            [new],
            update_conflicts=True,
            unique_fields=["user", "method", "path", "key"],
            update_fields=["key"],
        )
    return IdempotencyRecord.objects.get(pk=row.pk)


@contextmanager
def _bounded_wait(stack: ExitStack) -> Iterator[None]:
    """Enter a transaction for the rest of `stack`. InFlight if it or the body waits too long."""
    bound = _on_postgresql if connection.vendor == "postgresql" else _on_sqlite
    try:
        with bound(stack):
            yield
    except OperationalError as error:
        busy = getattr(error.__cause__, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
        if busy or sqlstate(error) == _LOCK_NOT_AVAILABLE:
            raise InFlight("The first request with this key is still being worked on.") from error
        raise


@contextmanager
def _on_postgresql(stack: ExitStack) -> Iterator[None]:
    stack.enter_context(transaction.atomic())
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE_SECONDS}s'")
        yield
        cursor.execute("SET LOCAL lock_timeout TO DEFAULT")


@contextmanager
def _on_sqlite(stack: ExitStack) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        [usual] = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {_PATIENCE_SECONDS * 1000}")
        try:
            stack.enter_context(transaction.atomic())
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual}")
    yield


def _kept(record: IdempotencyRecord, draft: IdempotencyRecord) -> Response | None:
    """Return the answer that the record keeps for this request, if it keeps one."""
    if not record.status or record.created_at <= draft.created_at - KEPT:
        return None
    if record.body_digest != draft.body_digest:
        raise Invalid("This key was used with another body.", field=_HEADER)
    return _again(record)


def _again(record: IdempotencyRecord) -> Response:
    if not record.answer:
        raise Conflict("This key was used, and whoever the answer was about has been erased since.")
    headers = {"Idempotent-Replayed": "true"}
    # What orjson reads, it writes again to the byte.
    return Response(orjson.loads(record.answer), status=record.status, headers=headers)
