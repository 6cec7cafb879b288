"""A person's private feed: an address at which other calendars read their bookings."""

import secrets
from datetime import datetime

from django.conf import settings
from django.db import transaction

from accounts.domain.services import lock
from accounts.models import User
from calendars.models import Feed
from core.db import crypto


def feed_of(user: User) -> Feed | None:
    return Feed.objects.filter(user=user).first()


def address_of(token: str) -> str:
    """Return the address at which other calendars read a feed. It opens the feed to anybody."""
    return f"{settings.PUBLIC_URL}/calendar/feed/{token}.ics"


@transaction.atomic
def rotate(*, user: User, now: datetime, shows_titles: bool | None = None) -> Feed:
    """Make a new address; the former one ends. `shows_titles` stays where it is not given."""
    lock(user.pk)
    feed = feed_of(user) or Feed(user=user)
    feed.token, feed.created_at = secrets.token_urlsafe(32), now
    if shows_titles is not None:
        feed.shows_titles = shows_titles
    feed.save()
    return feed


@transaction.atomic
def show_titles(*, user: User, shows: bool) -> None:
    """Show titles in the feed, or "Busy"."""
    lock(user.pk)
    Feed.objects.filter(user=user).update(shows_titles=shows)


def end(*, user: User) -> bool:
    """End the feed: its address leads nowhere. False if there is none."""
    deleted, _by_model = Feed.objects.filter(user=user).delete()
    return bool(deleted)


def find(token: str) -> Feed | None:
    """Return the feed of this token, if its owner is active."""
    rows = Feed.objects.select_related("user").filter(user__is_active=True)
    return rows.filter(digest=crypto.digest(token)).first()
