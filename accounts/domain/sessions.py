"""Sessions in the database, by the digest of their key and with their data encrypted.

A reader of the database, or of a copy of it, cannot act as anybody: a cookie holds the key, and a
row only its SHA-256.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends import db
from django.contrib.sessions.backends.base import UpdateError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone, translation

from accounts.domain import audit, limits, services
from accounts.domain.audit import Action
from accounts.models import Session, User
from core.db import crypto
from core.db.prepared import Prepared
from core.ops import private_names
from core.text import browsers

# How precisely the last use of a session is recorded.
_SEEN_PRECISION = timedelta(minutes=5)
_LONGEST_AGENT = 300


_VALID = Prepared[Session](
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now)
)


class SessionStore(db.SessionStore):
    """A store that skips impossible keys, because PostgreSQL refuses to look for a NUL."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key if session_key and session_key.isalnum() else None)

    @classmethod
    def get_model_class(cls) -> type[Session]:
        return Session

    def encode(self, session_dict: dict[str, Any]) -> str:
        return json.dumps(session_dict)  # the model's field encrypts it

    def decode(self, session_data: str | bytes) -> dict[str, Any]:
        data: dict[str, Any] = json.loads(session_data)
        return data

    def _get_session_from_db(self) -> Session | None:
        now = timezone.now()
        key = crypto.digest(self.session_key or "")
        row = next(iter(_VALID.objects(key=key, now=now)), None)
        if row is not None and not crypto.is_readable(row, "session_data"):
            row = None  # its key has been dropped: the person signs in again
        if row is None:
            private_names.drop_session_key(self)
        elif row.seen_at <= now - _SEEN_PRECISION:
            Session.objects.filter(pk=row.pk).update(seen_at=now)
        return row

    def exists(self, session_key: str) -> bool:
        return Session.objects.filter(session_key=crypto.digest(session_key)).exists()

    def save(self, must_create: bool = False) -> None:
        """Save the session. UpdateError if its person's account was deleted meanwhile.

        The session of a deactivated person is kept: another person may sign in on that browser.
        """
        with transaction.atomic():
            super().save(must_create)

    def create_model_instance(self, data: dict[str, Any]) -> Session:
        """Return the row that `save` writes, with its person locked.

        It holds who has signed in, on what and when beside the data, to be listed.
        """
        person, since = data.get(SESSION_KEY), data.get("started_at")
        if person is not None and services.lock_kept(int(person)) is None:
            raise UpdateError
        return Session(
            session_key=crypto.digest(self.session_key or ""),
            session_data=self.encode(data),
            expire_date=self.get_expiry_date(),
            user_id=person and int(person),
            agent=data.get("agent", ""),
            started_at=since and datetime.fromisoformat(since),
            seen_at=timezone.now(),
        )

    def delete(self, session_key: str | None = None) -> None:
        key = session_key or self.session_key
        if key:
            Session.objects.filter(session_key=crypto.digest(key)).delete()


@transaction.atomic
def begin(request: HttpRequest, *, user: User, now: datetime) -> None:
    """Note in the session the browser and the time of a sign-in.

    Beyond the limit, the browsers that were seen longest ago are signed out.
    """
    services.lock(user.pk)
    agent = request.headers.get("User-Agent", "")[:_LONGEST_AGENT]
    request.session.update({"agent": agent.replace("\0", ""), "started_at": now.isoformat()})
    request.session.save()  # so that it is counted
    seen = Session.objects.filter(user=user).order_by("-seen_at", "-started_at", "pk")
    limits.trim(seen, settings.LIMITS["sessions"])


def is_new(request: HttpRequest, *, now: datetime) -> bool:
    """Tell whether somebody signed in here a short while ago."""
    since = request.session.get("started_at")
    lasts = timedelta(seconds=settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)
    return since is not None and now - datetime.fromisoformat(since) < lasts


def of(user: User, *, now: datetime) -> QuerySet[Session]:
    """Return where this person is signed in."""
    return user.sessions.filter(expire_date__gt=now)


def is_current(session: Session, request: HttpRequest) -> bool:
    """Tell whether this is the session of the request itself."""
    return session.session_key == crypto.digest(request.session.session_key or "")


@transaction.atomic
def end(*, session: Session, actor: User, now: datetime) -> None:
    """End this session at once: its browser is signed out."""
    ended, _rows = Session.objects.filter(pk=session.pk).delete()
    if ended:
        with translation.override("en"):
            subject = browsers.in_words(session.agent)
        audit.record(
            Action.SESSION_ENDED, person=session.user, actor=actor, subject=subject, now=now
        )


def end_others(*, user: User, request: HttpRequest, now: datetime) -> int:
    """End every session of this person except the one of the request. Return how many ended."""
    own = crypto.digest(request.session.session_key or "")
    others = of(user, now=now).exclude(session_key=own).select_related("user")
    for session in others:
        end(session=session, actor=user, now=now)
    return len(others)
