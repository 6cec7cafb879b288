"""Bookings and meetings in outside calendars on real servers: they appear, move and vanish."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine

from accounts.models import Team, User
from calendars.domain import accounts
from calendars.models import BusyTime, Calendar, CalendarAccount, Push
from core.db import outbox
from core.errors import Invalid
from meetings.domain import services as meetings
from scheduling.domain import bookings
from scheduling.models import Booking
from tests import factories
from tests.calendars import world
from tests.calendars.servers import Said, scripted
from tests.calendars.world import Outside, fresh, read, write
from tests.outbox import rows
from tests.pages import NOW, START
from tests.scheduling.conftest import Book

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now", "loopback")]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture
def calendar(outside: Outside, alice: User) -> Calendar:
    """Return the calendar to which Alice's bookings are written."""
    calendar = world.connected(alice, outside.secret, now=NOW)
    accounts.change_calendar(calendar=calendar, writes=True, now=NOW)
    return fresh(calendar)


def written(calendar: Calendar, at: datetime = NOW) -> None:
    """Write what is due at this moment."""
    with time_machine.travel(at, tick=False):
        write(fresh(calendar).account, now=at)


def lines(outside: Outside) -> list[str]:
    """Return the lines of the only object, unfolded."""
    [text] = outside.objects()
    return text.replace("\r\n ", "").splitlines()


def test_a_booking_appears(outside: Outside, calendar: Calendar, book: Book) -> None:
    booking = book()
    assert outside.objects() == []
    written(calendar)
    shown = lines(outside)
    assert f"UID:{booking.calendar_uid}" in shown
    assert "DTSTART:20260304T100000Z" in shown
    assert "DTEND:20260304T103000Z" in shown
    assert "SUMMARY:30 Minute Meeting: John Doe" in shown
    assert "STATUS:CONFIRMED" in shown
    push = Push.objects.get()
    assert (push.state, push.attempts) == ("sent", 1)
    assert push.href


def test_the_server_is_told_to_mail_nobody(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    book()
    written(calendar)
    people = [each for each in lines(outside) if each.startswith(("ORGANIZER", "ATTENDEE"))]
    assert len(people) == 3
    assert all("SCHEDULE-AGENT=CLIENT" in each for each in people)
    assert not any(each.startswith("METHOD") for each in lines(outside))


def test_it_moves_and_vanishes(outside: Outside, calendar: Calendar, book: Book) -> None:
    booking = book()
    written(calendar)
    bookings.reschedule(booking=booking, start=START + HOUR, actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert "DTSTART:20260304T110000Z" in lines(outside)
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert outside.objects() == []
    assert not Push.objects.exists()


def test_what_is_off_before_it_was_written_is_never_written(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    bookings.cancel(booking=book(), actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert outside.objects() == []


def test_a_pending_booking_is_tentative(
    outside: Outside, calendar: Calendar, book: Book, alice: User
) -> None:
    event_type = factories.event_type(alice, name="Interview", requires_approval=True)
    booking = book(event_type)
    written(calendar)
    assert "STATUS:TENTATIVE" in lines(outside)
    bookings.confirm(booking=booking, actor=bookings.host(alice), now=NOW)
    written(calendar)
    assert "STATUS:CONFIRMED" in lines(outside)


def test_a_declined_booking_vanishes(
    outside: Outside, calendar: Calendar, book: Book, alice: User
) -> None:
    event_type = factories.event_type(alice, name="Interview", requires_approval=True)
    booking = book(event_type)
    written(calendar)
    bookings.reject(booking=booking, actor=bookings.host(alice), now=NOW)
    written(calendar)
    assert outside.objects() == []


def test_a_meeting_appears_once_it_is_confirmed(
    outside: Outside, calendar: Calendar, alice: User, bob: User, team: Team
) -> None:
    meeting = meetings.request_meeting(
        requester=alice,
        team_id=team.pk,
        recipient_id=bob.pk,
        date="2026-03-04T10:00:00Z",
        link="",
        now=NOW,
    )
    written(calendar)
    assert outside.objects() == []
    meetings.confirm(meeting=meeting, actor=bob, now=NOW)
    written(calendar)
    assert "SUMMARY:Meeting: Alice Ames and Bob Byrd" in lines(outside)
    meetings.cancel(meeting=meeting, actor=bob, now=NOW)
    written(calendar)
    assert outside.objects() == []


# --- echo ---------------------------------------------------------------------------------------


def test_its_echo_closes_no_time(
    outside: Outside, calendar: Calendar, book: Book, alice: User
) -> None:
    booking = book()
    written(calendar)
    assert read(fresh(calendar).account, now=NOW)
    assert world.taken(alice) == []
    assert BusyTime.objects.filter(user=alice).count() == 1
    assert world.titles(calendar) == ["30 Minute Meeting: John Doe"]
    # It can be moved over its own echo.
    for start in (START + HOUR, START):
        bookings.reschedule(booking=booking, start=start, actor=bookings.host(alice), now=NOW)


def test_the_echo_of_an_invitation_closes_no_time(
    outside: Outside, alice: User, book: Book
) -> None:
    """The host's mail program puts the booking into the calendar by itself."""
    calendar = world.connected(alice, outside.secret, now=NOW)
    booking = book()
    outside.put("invitation", world.event(booking.calendar_uid, START))
    read(calendar.account, now=NOW)
    assert world.taken(alice) == []


def test_an_invitee_with_an_account_is_busy_by_it(outside: Outside, bob: User, book: Book) -> None:
    calendar = world.connected(bob, outside.secret, now=NOW)
    booking = book()
    outside.put("invitation", world.event(booking.calendar_uid, START))
    read(calendar.account, now=NOW)
    assert world.taken(bob) == ["03-04 10:00-10:30"]


# --- conflicts and lost rights ------------------------------------------------------------------


def test_an_entry_that_was_edited_outside_is_replaced_by_the_next_change(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    booking = book()
    written(calendar)
    [text] = outside.objects()
    path = Push.objects.get().href.removeprefix(outside.server.url.rstrip("/"))
    outside.server.put(path, text.replace("John Doe", "Johnny"))
    bookings.reschedule(booking=booking, start=START + HOUR, actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert Push.objects.get().last_error == "conflict"
    written(calendar, NOW + MINUTE)
    assert "DTSTART:20260304T110000Z" in lines(outside)
    assert "SUMMARY:30 Minute Meeting: John Doe" in lines(outside)
    assert rows(kind__startswith="calendar") == []


def test_an_entry_that_came_by_mail_is_taken_over(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    booking = book()
    outside.put("by-mail", world.event(booking.calendar_uid, START, title="By mail"))
    written(calendar)
    written(calendar, NOW + MINUTE)
    assert "SUMMARY:30 Minute Meeting: John Doe" in lines(outside)
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    written(calendar, NOW + 2 * MINUTE)
    assert outside.objects() == []


def test_an_entry_that_was_deleted_outside_comes_back_with_the_next_change(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    booking = book()
    written(calendar)
    outside.server.delete(Push.objects.get().href.removeprefix(outside.server.url.rstrip("/")))
    bookings.reschedule(booking=booking, start=START + HOUR, actor=bookings.INVITEE, now=NOW)
    for minutes in range(3):
        written(calendar, NOW + minutes * MINUTE)
    assert "DTSTART:20260304T110000Z" in lines(outside)


@pytest.fixture
def refused(calendar: Calendar) -> Iterator[Calendar]:
    """Let the server refuse all that is written."""
    with scripted(lambda asked: Said(403)) as server:
        account = fresh(calendar).account
        account.secret = {**account.secret, "url": server.url}
        account.save()
        Calendar.objects.filter(pk=calendar.pk).update(href=f"{server.url}calendar/")
        yield fresh(calendar)


def test_lost_rights_are_told_once(refused: Calendar, book: Book) -> None:
    book()
    book(start=START + HOUR)
    for minutes in (0, 1, 10):
        written(refused, NOW + minutes * MINUTE)
    assert fresh(refused).write_error == "forbidden"
    assert [row.kind for row in rows(kind__startswith="calendar")] == ["calendar_not_written"]
    assert set(Push.objects.values_list("state", flat=True)) == {"waiting"}


def test_a_short_failure_is_not_told(calendar: Calendar, outside: Outside, book: Book) -> None:
    href = calendar.href
    with scripted(lambda asked: Said(503)) as server:
        Calendar.objects.filter(pk=calendar.pk).update(href=f"{server.url}calendar/")
        book()
        written(calendar)
    Calendar.objects.filter(pk=calendar.pk).update(href=href)
    Push.objects.update(href="")
    written(calendar, NOW + MINUTE)
    assert len(outside.objects()) == 1
    assert rows(kind__startswith="calendar") == []


@pytest.mark.parametrize(("is_read", "kinds"), [(True, []), (False, ["calendar_not_written"])])
def test_a_server_that_is_down_is_told_once_by_its_readings_if_there_are_any(
    calendar: Calendar, book: Book, is_read: bool, kinds: list[str]
) -> None:
    with scripted(lambda asked: Said(200)) as server:
        gone = server.url
    account = fresh(calendar).account
    account.secret = {**account.secret, "url": gone}
    account.save()
    Calendar.objects.filter(pk=calendar.pk).update(href=f"{gone}calendar/", blocks=is_read)
    book()
    for minutes in (0, 10, 60, 120):
        written(calendar, NOW + minutes * MINUTE)
    assert Push.objects.get().last_error == "refused"
    assert [row.kind for row in rows(kind__startswith="calendar")] == kinds
    # A write that is given up gets its email in any case.
    Push.objects.update(attempts=len(Push.DELAYS), due_at=NOW)
    written(calendar, NOW + 4 * 24 * HOUR)
    assert Push.objects.get().state == "failed"
    assert [row.kind for row in rows(kind__startswith="calendar")] == ["calendar_not_written"]


def test_another_calendar_leaves_no_failure_behind(
    refused: Calendar, alice: User, book: Book
) -> None:
    book()
    written(refused)
    assert fresh(refused).write_error == "forbidden"
    other = factories.read_calendar(alice, name="Other")
    accounts.change_calendar(calendar=other, now=NOW, writes=True)
    assert fresh(refused).write_error == ""


# --- choosing and leaving -----------------------------------------------------------------------


def test_a_calendar_that_is_chosen_gets_what_is_to_come(
    outside: Outside, alice: User, book: Book
) -> None:
    book()
    calendar = world.connected(alice, outside.secret, now=NOW)
    accounts.change_calendar(calendar=calendar, writes=True, now=NOW)
    written(calendar)
    assert len(outside.objects()) == 1
    accounts.change_calendar(calendar=fresh(calendar), writes=False, now=NOW)
    book(start=START + HOUR)
    written(calendar)
    assert len(outside.objects()) == 1


def test_one_that_is_left_is_kept_up(outside: Outside, calendar: Calendar, book: Book) -> None:
    booking = book()
    written(calendar)
    accounts.change_calendar(calendar=calendar, writes=False, now=NOW)
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert outside.objects() == []


@pytest.mark.parametrize("takes_back", [True, False])
def test_disconnecting_may_take_back_what_was_written(
    outside: Outside, calendar: Calendar, book: Book, takes_back: bool
) -> None:
    book()
    outside.put("own", world.event("own@example.com", START + HOUR))
    written(calendar)
    account = fresh(calendar).account
    read(account, now=NOW)
    accounts.disconnect(account=account, takes_back=takes_back, now=NOW)
    assert not CalendarAccount.objects.visible_to(account.user).exists()
    assert not BusyTime.objects.filter(exclusive=False).exists()
    write(account, now=NOW)
    accounts.end_disconnected()
    assert not CalendarAccount.objects.exists()
    assert len(outside.objects()) == (1 if takes_back else 2)


def test_a_booking_without_a_calendar_writes_no_row(book: Book, alice: User) -> None:
    book()
    assert not Push.objects.exists()


def test_a_feed_cannot_be_written_to(alice: User) -> None:
    text = world.text_of(world.event("one@example.com", START))
    with scripted(lambda asked: Said(body=text.encode())) as server:
        calendar = world.connected(alice, {"url": server.url}, provider="ics", now=NOW)
        with pytest.raises(Invalid, match="cannot be written to"):
            accounts.change_calendar(calendar=calendar, writes=True, now=NOW)


def test_two_changes_at_once_end_with_the_later(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    """A worker is stopped between its look at the booking and its PUT; another writes meanwhile."""
    booking: Booking = book()
    [slow] = outbox.claim(Push.objects.select_related("calendar__account__user"), now=NOW, most=20)
    bookings.reschedule(booking=booking, start=START + HOUR, actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert "DTSTART:20260304T110000Z" in lines(outside)
    assert outbox.settle([slow], state=outbox.OutboxState.SENT, now=NOW) == 0
    assert Push.objects.get().state == "sent"


def test_a_put_whose_answer_is_lost_is_taken_back_with_the_booking(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    booking = book()
    href = calendar.href
    with scripted(lambda asked: Said(503)) as server:
        Calendar.objects.filter(pk=calendar.pk).update(href=f"{server.url}calendar/")
        written(calendar)
    Calendar.objects.filter(pk=calendar.pk).update(href=href)
    # The server has taken it, and the answer did not come.
    outside.put("lost", world.event(booking.calendar_uid, START))
    Push.objects.update(href=f"{href}lost.ics")
    bookings.cancel(booking=booking, actor=bookings.INVITEE, now=NOW)
    written(calendar)
    assert outside.objects() == []
    assert not Push.objects.exists()


def test_the_place_is_kept_before_anything_is_written(calendar: Calendar, book: Book) -> None:
    book()
    with scripted(lambda asked: Said(503)) as server:
        Calendar.objects.filter(pk=calendar.pk).update(href=f"{server.url}calendar/")
        written(calendar)
        assert Push.objects.get().href.startswith(f"{server.url}calendar/")


def test_connecting_anew_while_the_former_is_taken_back_writes_again(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    book()
    written(calendar)
    account = fresh(calendar).account
    accounts.disconnect(account=account, takes_back=True, now=NOW)
    again = world.connected(account.user, outside.secret, now=NOW)
    accounts.change_calendar(calendar=again, writes=True, now=NOW)
    assert Push.objects.filter(calendar=again).count() == 1
    # Whichever is sent first: the booking stands there in the end.
    for minutes in range(3):
        written(again, NOW + minutes * MINUTE)
        with time_machine.travel(NOW + minutes * MINUTE, tick=False):
            write(account, now=NOW + minutes * MINUTE)
    assert len(outside.objects()) == 1


def test_one_that_was_never_written_goes_to_the_calendar_that_is_chosen_next(
    refused: Calendar, alice: User, book: Book
) -> None:
    book()
    written(refused)
    assert Push.objects.get().last_error == "forbidden"
    other = Calendar.objects.create(account=refused.account, user=alice, href="/other/")
    Calendar.objects.filter(pk=other.pk).update(is_writable=True)
    accounts.change_calendar(calendar=other, writes=True, now=NOW)
    assert [push.calendar_id for push in Push.objects.all()] == [other.pk]


def test_a_deactivated_owner_keeps_no_other_account_from_ending(
    calendar: Calendar, alice: User
) -> None:
    CalendarAccount.objects.update(is_ending=True)
    alice.is_active = False
    alice.save()
    accounts.end_disconnected()
    assert not CalendarAccount.objects.exists()


def test_another_password_ends_the_failure_and_the_waiting(
    outside: Outside, calendar: Calendar, book: Book
) -> None:
    book()
    account = fresh(calendar).account
    CalendarAccount.objects.update(state="revoked", error="unauthorized", failures=4, told_at=NOW)
    Calendar.objects.update(error="unauthorized")
    Push.objects.update(due_at=NOW + HOUR, attempts=1, last_error="unauthorized")
    changed = accounts.change(account=account, secret=account.secret, now=NOW)
    assert (changed.state, changed.error, changed.told_at) == ("ok", "", None)
    assert fresh(calendar).error == ""
    written(calendar)
    assert len(outside.objects()) == 1
