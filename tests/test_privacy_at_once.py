"""Account deletion beside other requests: each request takes effect before or after it."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine

from accounts.models import Membership, Team, User
from calendars.models import BusyTime
from core.people import privacy
from meetings.domain import services as meetings
from meetings.models import MeetingRequest
from scheduling.domain import bookings, erasure
from scheduling.models import Booking
from tests import factories
from tests.pages import NOW, START
from tests.torture.races import at_once, kinds

Act = Callable[[], Any]

pytestmark = pytest.mark.django_db(transaction=True)


def forget(person: User) -> Act:
    return partial(privacy.erase, person_id=person.pk, now=NOW)


@pytest.mark.parametrize("_round", range(5))
def test_a_booking_is_made_before_and_cancelled_or_refused(_round: int, alice: User) -> None:
    event_type = factories.event_type(alice)

    def book(hour: int) -> Booking:
        return factories.booking(event_type, start=START + timedelta(hours=hour), now=NOW)

    acts: list[Act] = [forget(alice), *(partial(book, hour) for hour in range(3))]
    outcomes = at_once(acts)
    assert outcomes[0] is None
    assert set(kinds(outcomes[1:])) <= {"Booking", "Invalid"}
    assert set(Booking.objects.values_list("status", flat=True)) <= {"cancelled"}
    assert Booking.objects.count() == kinds(outcomes)["Booking"]
    assert not BusyTime.objects.exists()


@pytest.mark.parametrize("_round", range(5))
def test_a_request_is_made_before_and_ended_or_refused(
    _round: int, alice: User, bob: User, team: Team
) -> None:
    def ask(requester: User, recipient: User, hour: int) -> MeetingRequest:
        return meetings.request_meeting(
            requester=requester,
            recipient_id=recipient.pk,
            team_id=team.pk,
            link="",
            now=NOW,
            date=(START + timedelta(hours=hour)).isoformat(),
        )

    standing = ask(bob, alice, 5)
    acts: list[Act] = [
        forget(alice),
        partial(ask, bob, alice, 0),
        partial(ask, alice, bob, 1),
        partial(meetings.cancel, meeting=standing, actor=bob, now=NOW),
    ]
    outcomes = at_once(acts)
    assert outcomes[0] is None
    assert set(kinds(outcomes[1:3])) <= {"MeetingRequest", "NotFound"}
    assert set(MeetingRequest.objects.values_list("status", flat=True)) <= {
        "cancelled",
        "rejected",
    }


@pytest.mark.parametrize("_round", range(5))
def test_what_is_moved_and_cancelled_meanwhile_ends_all_the_same(_round: int, alice: User) -> None:
    event_type = factories.event_type(alice)
    booked = [
        factories.booking(event_type, start=START + timedelta(hours=hour), now=NOW)
        for hour in range(3)
    ]
    acts: list[Act] = [
        forget(alice),
        partial(
            bookings.reschedule,
            booking=booked[0],
            start=START + timedelta(hours=5),
            actor=bookings.INVITEE,
            now=NOW,
        ),
        partial(bookings.cancel, booking=booked[1], actor=bookings.INVITEE, now=NOW),
        partial(erasure.erase_invitee, booking=booked[2], now=NOW),
    ]
    outcomes = at_once(acts)
    assert outcomes[0] is None
    assert set(kinds(outcomes)) <= {"NoneType", "Booking", "InvalidTransition"}
    assert list(Booking.objects.values_list("status", flat=True)) == ["cancelled"] * 3
    assert Booking.objects.get(pk=booked[2].pk).invitee == "Deleted person"
    assert not BusyTime.objects.exists()


def test_two_who_met_each_other_go_at_the_same_time(alice: User, bob: User, team: Team) -> None:
    for hour, (requester, recipient) in enumerate(((alice, bob), (bob, alice))):
        met = meetings.request_meeting(
            requester=requester,
            recipient_id=recipient.pk,
            team_id=team.pk,
            link="",
            now=NOW,
            date=(START + timedelta(hours=hour)).isoformat(),
        )
        meetings.confirm(meeting=met, actor=recipient, now=NOW)
    assert at_once([forget(alice), forget(bob)]) == [None, None]
    assert set(MeetingRequest.objects.values_list("status", flat=True)) == {"cancelled"}
    assert not User.objects.filter(is_active=True).exists()
    assert not Membership.objects.exists()
    assert Team.objects.filter(pk=team.pk).exists()  # as a name on what it met for


def test_two_who_booked_each_other_go_at_the_same_time(alice: User, bob: User) -> None:
    """Past bookings are erased on both sides. Future ones are cancelled with their host."""
    with time_machine.travel(NOW - timedelta(days=14)):
        for host, invitee in ((alice, bob), (bob, alice)):
            event_type = factories.event_type(host)
            for start in (START - timedelta(days=14), START):
                factories.booking(
                    event_type, start=start, now=NOW - timedelta(days=14), email=invitee.email
                )
    assert at_once([forget(alice), forget(bob)]) == [None, None]
    assert Counter(Booking.objects.values_list("status", flat=True)) == {
        "completed": 2,
        "cancelled": 2,
    }
    past = Booking.objects.filter(status="completed")
    assert {booking.invitee for booking in past} == {"Deleted person"}


def test_the_last_two_owners_leave_one(team: Team, alice: User, bob: User, charlie: User) -> None:
    factories.join(team, charlie)
    team.memberships.filter(user=bob).update(role=Membership.Role.OWNER)
    assert at_once([forget(alice), forget(bob)]) == [None, None]
    assert list(team.memberships.values_list("user", "role")) == [(charlie.pk, "owner")]


def test_of_the_last_two_superusers_one_stays(alice: User, bob: User) -> None:
    User.objects.update(is_superuser=True)
    assert kinds(at_once([forget(alice), forget(bob)])) == Counter({"NoneType": 1, "Conflict": 1})
    assert User.objects.filter(is_superuser=True, is_active=True).count() == 1


def test_one_who_clicks_twice_is_deleted_once(alice: User) -> None:
    factories.booking(factories.event_type(alice), start=START, now=NOW)
    assert at_once([forget(alice)] * 3) == [None] * 3
    assert Booking.objects.get().history.filter(change="cancelled").count() == 1
