"""Verbs of calendar accounts: connect, change, refresh, disconnect; and of their calendars."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.domain import limits
from accounts.domain.services import lock, lock_kept
from accounts.models import User
from calendars import providers
from calendars.domain import entries, publishing, sources
from calendars.domain.problems import in_words
from calendars.models import Calendar, CalendarAccount, Push
from calendars.providers.base import ProviderError, RemoteCalendar
from calendars.providers.policy import policy
from calendars.rules.content import plain
from core.db import outbox
from core.db.crypto import is_readable
from core.db.outbox import OutboxState
from core.db.prepared import Prepared
from core.errors import Busy, Conflict, Invalid, NotFound
from core.ops import shares
from core.web import targets

READ = "calendars.tasks.read"
_LONGEST_NAME, _LONGEST_HREF = 120, 1_000
_WEBCAL = re.compile("webcals?://", re.IGNORECASE)
# A person waits for the first look at a server, and a thread that answers requests waits too.
_LOOK_SECONDS = 10.0
_LOOKS_OF_PROCESS = 2
# Bookings that are to come, which a calendar gets when it is chosen.
_MOST_AT_ONCE = 1_000
_MOST_ENDING = 50
# What a person can mend in the form, by the field that is wrong.
_FIELDS = {"unauthorized": "password", "forbidden": "password"}
# A server that has never answered as one of its kind is probably none.
_UNKNOWN_SERVER = {("caldav", "invalid_answer"): "not_a_calendar"}


_TROUBLED = Prepared(
    lambda user: CalendarAccount.objects.filter(user=user, is_ending=False).exclude(
        state=CalendarAccount.State.OK
    )
)


def find(*, key: str, user: User) -> CalendarAccount:
    """Return an account of this person by its number or uuid, or raise NotFound."""
    found = CalendarAccount.objects.visible_to(user).named(key).first()
    if found is None:
        raise NotFound("calendar account not found")
    return found


def find_calendar(*, key: str, user: User) -> Calendar:
    """Return a calendar of this person by its number or uuid, or raise NotFound."""
    rows = Calendar.objects.visible_to(user).select_related("account__user")
    found = rows.named(key).first()
    if found is None:
        raise NotFound("calendar not found")
    return found


def secret_of(*, provider: str, url: str, username: str = "", password: str = "") -> dict[str, str]:
    """Return what opens an account of this provider. Invalid for what it needs or does not take."""
    names = {"username": username, "password": password}
    if provider == CalendarAccount.Provider.ICS:
        for name, value in names.items():
            if value:
                raise Invalid(_("A calendar address (ICS) is read without it."), field=name)
        return {"url": url}
    for name, value in names.items():
        if not value:
            raise Invalid(_("CalDAV needs a user name and a password."), field=name)
    return {"url": url, **names}


def secret_with(account: CalendarAccount, given: Mapping[str, str]) -> dict[str, str]:
    """Return what opens the account, with the values that its owner gave anew.

    Invalid on `password` for another address without it: a password goes only to the address that
    it was given for. Invalid as in `secret_of`.
    """
    known = account.secret
    is_moved = given.get("url", known["url"]) != known["url"]
    if is_moved and "password" in known and "password" not in given:
        raise Invalid(_("Give the password too: the address has changed."), field="password")
    return secret_of(provider=account.provider, **{**known, **given})


def look(*, user: User, provider: str, secret: Mapping[str, str]) -> list[RemoteCalendar]:
    """Ask the server for the calendars that this secret opens. It waits for 10 seconds at most.

    Do not call it in a transaction. Invalid, on the field to mend, if there are none to be read.
    Busy if another look of this account is under way, or too many of this process are.
    """
    names = {"calendar looks": _LOOKS_OF_PROCESS, f"calendar looks of {user.pk}": 1}
    with shares.held(names) as is_held:
        if not is_held:
            message = _("Another calendar is being connected. Try again in a few seconds.")
            raise Busy(message, retry_after=int(_LOOK_SECONDS))
        until = time.monotonic() + _LOOK_SECONDS
        try:
            found = providers.connect(provider, secret, until=until, policy=policy()).calendars()
        except ProviderError as error:
            field = _FIELDS.get(error.code, "url") if "password" in secret else "url"
            code = _UNKNOWN_SERVER.get((provider, error.code), error.code)
            raise Invalid(in_words(code), field=field) from None
    if not found:
        raise Invalid(_("There is no calendar at this address."), field="url")
    return found


def _name_of(found: Sequence[RemoteCalendar]) -> str:
    """Return the name of the only calendar. With several, it would be that of one of them."""
    return plain(found[0].name) if len(found) == 1 else ""


def connect(
    *,
    user: User,
    provider: str,
    name: str,
    secret: Mapping[str, str],
    found: Sequence[RemoteCalendar],
    now: datetime,
) -> CalendarAccount:
    """Connect these calendars, which `look` has found, and have them read at once.

    Those that can be written to close time from now on, and so does the calendar of an ICS address.
    Others are often holidays or birthdays. Nothing is written until the person chooses a calendar.
    Conflict if the same account is connected already, LimitReached for too many calendars.
    """
    account = CalendarAccount(
        user=user,
        provider=provider,
        name=(name or _name_of(found) or host_of(secret))[:_LONGEST_NAME],
        host=host_of(secret),
        state_since=now,
        due_at=now,
        created_at=now,
        updated_at=now,
    )
    account.secret = secret
    account.full_clean(exclude=["user"])
    with transaction.atomic():
        lock(user.pk)
        limits.require_room("calendars", Calendar.objects.filter(user=user))
        for other in CalendarAccount.objects.visible_to(user):
            if is_readable(other, "sealed_secret") and _identity(other.secret) == _identity(secret):
                raise Conflict(_("This calendar is connected already."), reason="connected")
        account.save(force_insert=True)
        keep(account, found)
        ours = Calendar.objects.filter(account=account)
        is_feed = provider == CalendarAccount.Provider.ICS
        (ours if is_feed else ours.filter(is_writable=True)).update(blocks=True)
        if not ours.exists():
            raise Invalid(_("There is no calendar at this address."), field="url")
        if not ours.filter(blocks=True).exists():
            ours.filter(pk=ours[0].pk).update(blocks=True)
        outbox.hint(READ, account.pk, user.pk)
    return account


def _identity(secret: Mapping[str, str]) -> tuple[str, str]:
    return secret["url"], secret.get("username", "")


def host_of(secret: Mapping[str, str]) -> str:
    """Return the name of the server, which is no secret. Empty for a text that is no address."""
    try:
        return targets.parse(_WEBCAL.sub("https://", secret["url"])).name
    except targets.SendError:
        return ""


def keep(account: CalendarAccount, found: Sequence[RemoteCalendar]) -> None:
    """Keep names and rights of these calendars. New ones are added while there is room.

    The caller has locked the owner. A calendar that is missing stays: its reading says why.
    """
    known = {each.href: each for each in Calendar.objects.filter(account=account)}
    held = Calendar.objects.filter(user=account.user_id)
    for remote in found:
        if len(remote.href) > _LONGEST_HREF:
            continue
        values = {
            "name": (plain(remote.name) or account.name)[:200],
            "color": remote.color,
            "timezone": remote.timezone,
            "is_writable": remote.is_writable,
        }
        calendar = known.get(remote.href)
        if calendar is None:
            if limits.refusal("calendars", held):
                continue
            Calendar.objects.create(
                account=account, user_id=account.user_id, href=remote.href, **values
            )
        elif any(getattr(calendar, name) != value for name, value in values.items()):
            Calendar.objects.filter(pk=calendar.pk).update(**values)


def change(
    *,
    account: CalendarAccount,
    now: datetime,
    name: str | None = None,
    secret: Mapping[str, str] | None = None,
) -> CalendarAccount:
    """Change the name, or what opens the account, which `look` has tried. Then it is read anew."""
    with transaction.atomic():
        lock(account.user_id)
        locked = _locked(account)
        if name is not None:
            locked.name = name
        if secret is not None:
            locked.secret, locked.host = secret, host_of(secret)
            locked.state, locked.state_since = CalendarAccount.State.OK, now
            locked.error, locked.failures, locked.told_at = "", 0, None
            Calendar.objects.filter(account=locked).update(error="")
            _have_read(locked, now)
        locked.updated_at = now
        locked.full_clean(exclude=["user"])
        locked.save()
    return locked


def refresh(*, account: CalendarAccount, now: datetime) -> CalendarAccount:
    """Have all calendars of the account read whole at once, unless that is about to happen."""
    with transaction.atomic():
        locked = _locked(account)
        if locked.whole_at is None and locked.due_at <= now:
            return locked
        _have_read(locked, now)
        locked.save(update_fields=["due_at", "whole_at", "lease", "lease_until"])
    return locked


def _have_read(account: CalendarAccount, now: datetime) -> None:
    """Have this account read whole, and written to again what waits for a retry.

    A reading that is under way saves nothing more.
    """
    account.due_at, account.whole_at = now, None
    account.lease, account.lease_until = "", None
    outbox.hint(READ, account.pk, account.user_id)
    waiting = Push.objects.filter(calendar__account=account, state=OutboxState.WAITING)
    if waiting.filter(due_at__gt=now).update(due_at=now):
        outbox.hint(publishing.WRITE, account.pk, account.user_id)


def _locked(account: CalendarAccount) -> CalendarAccount:
    rows = CalendarAccount.objects.select_for_update(no_key=True).filter(is_ending=False)
    found = rows.filter(pk=account.pk).first()
    if found is None:
        raise NotFound("calendar account not found")
    return found


def change_calendar(
    *, calendar: Calendar, now: datetime, writes: bool | None = None, **switches: bool
) -> Calendar:
    """Set the switches `blocks`, `blocks_tentative` and `blocks_all_day`, and where to write.

    A person's bookings are written to one calendar. One that is chosen gets those that are to come;
    what stands in another calendar stays there, and is kept up there. Invalid for a calendar that
    cannot be written to.
    """
    with transaction.atomic():
        lock(calendar.user_id)
        account = _locked(calendar.account)
        rows = Calendar.objects.select_related("account__user")
        locked = rows.select_for_update(of=("self",), no_key=True).get(pk=calendar.pk)
        was = locked.blocks
        for name, value in switches.items():
            setattr(locked, name, value)
        if switches:  # a reading that is under way knows the former ones
            whole_at = account.whole_at
            _have_read(account, now)
            if was or not locked.blocks:
                account.whole_at = whole_at
            account.save(update_fields=["due_at", "whole_at", "lease", "lease_until"])
        if was and not locked.blocks:
            entries.forget(locked)
            locked.token, locked.read_at, locked.doubted_at, locked.error = "", None, None, ""
        if writes and not locked.is_writable:
            raise Invalid(_("This calendar cannot be written to."), field="writes")
        is_chosen = bool(writes) and not locked.writes
        if writes:
            written = Calendar.objects.filter(user=locked.user_id, writes=True)
            written.update(writes=False, write_error="")
        if writes is not None:
            locked.writes, locked.write_error = writes, ""
        locked.save()
        if switches and locked.blocks:
            entries.refit(locked)
        if is_chosen:
            _write_upcoming(locked, now)
    return locked


def _write_upcoming(calendar: Calendar, now: datetime) -> None:
    """Have this calendar show what is to come, unless another calendar shows it already."""
    user = calendar.account.user
    others = Push.objects.filter(calendar__user=user).exclude(calendar=calendar)
    others.filter(href="").delete()  # written nowhere yet
    standing = Push.objects.filter(calendar__user=user, calendar__account__is_ending=False)
    shown = set(standing.values_list("uid", flat=True))
    rows = [
        publishing.row_of(publishing.Shown(name, *row), calendar_id=calendar.pk, now=now)
        for name, source in sources.named()
        for row in source.upcoming(user=user, now=now, most=_MOST_AT_ONCE)
        if row.uid not in shown
    ]
    if Push.objects.bulk_create(rows, batch_size=500):
        outbox.hint(publishing.WRITE, calendar.account_id, user.pk)


def disconnect(*, account: CalendarAccount, takes_back: bool, now: datetime) -> None:
    """Disconnect an account: its entries close no time any more.

    If it `takes_back`, the bookings that were written to its calendars are deleted there. The
    account is hidden until then.
    """
    with transaction.atomic():
        lock(account.user_id)
        locked = _locked(account)
        written = Push.objects.filter(calendar__account=locked).exclude(href="")
        if not takes_back or not written.exists():
            _delete(locked)
            return
        for calendar in Calendar.objects.filter(account=locked):
            entries.forget(calendar)
        Calendar.objects.filter(account=locked).update(blocks=False, writes=False)
        locked.is_ending, locked.updated_at = True, now
        locked.lease, locked.lease_until = "", None
        locked.save()
        publishing.again(written, now=now)
        outbox.hint(publishing.WRITE, locked.pk, locked.user_id)


def _delete(account: CalendarAccount) -> None:
    for calendar in Calendar.objects.filter(account=account):
        entries.forget(calendar)
    account.delete()


def end_disconnected() -> None:
    """Delete the accounts from which everything was taken back, or could not be."""
    busy = Push.objects.filter(state=OutboxState.WAITING).values("calendar__account")
    rows = CalendarAccount.objects.filter(is_ending=True).exclude(pk__in=busy)
    for account in rows.order_by("pk")[:_MOST_ENDING]:
        with transaction.atomic():
            lock_kept(account.user_id)
            _delete(account)


def troubled(user_id: int) -> list[CalendarAccount]:
    """Return this person's accounts that cannot be read at present."""
    return _TROUBLED.objects(user=user_id)
