"""Pages of hosts, and pages behind the links in emails."""

from django.urls import path

from scheduling.pages.answer import answer
from scheduling.pages.behalf import book_for
from scheduling.pages.bookings import (
    booking,
    booking_file,
    booking_list,
    cancel,
    confirm,
    move,
    no_show,
    note,
    reject,
)
from scheduling.pages.dates import dates
from scheduling.pages.event_types import (
    activate,
    deactivate,
    delete,
    duplicate,
    event_type,
    event_types,
    move_down,
    move_up,
    new_event_type,
)
from scheduling.pages.holds import confirm_hold, held
from scheduling.pages.hours import (
    add_schedule,
    delete_schedule,
    hours,
    make_default,
    rename_schedule,
    schedule,
)
from scheduling.pages.manage import booked, calendar, erase, erased, manage
from scheduling.pages.start import start

app_name = "scheduling"
urlpatterns = [
    # of hosts
    path("bookings", booking_list, name="bookings"),
    path("bookings/export.csv", booking_file, name="booking_file"),
    path("bookings/<int:booking_id>", booking, name="booking"),
    path("bookings/<int:booking_id>/confirm", confirm, name="confirm"),
    path("bookings/<int:booking_id>/reject", reject, name="reject"),
    path("bookings/<int:booking_id>/cancel", cancel, name="cancel"),
    path("bookings/<int:booking_id>/move", move, name="move"),
    path("bookings/<int:booking_id>/notes", note, name="note"),
    path("bookings/<int:booking_id>/no-show", no_show, name="no_show"),
    # of what can be booked
    path("event-types", event_types, name="event_types"),
    path("event-types/new", new_event_type, name="new_event_type"),
    path("event-types/<int:event_type_id>", event_type, name="event_type"),
    path("event-types/<int:event_type_id>/book", book_for, name="book_for"),
    path("event-types/<int:event_type_id>/activate", activate, name="activate"),
    path("event-types/<int:event_type_id>/deactivate", deactivate, name="deactivate"),
    path("event-types/<int:event_type_id>/duplicate", duplicate, name="duplicate"),
    path("event-types/<int:event_type_id>/up", move_up, name="move_up"),
    path("event-types/<int:event_type_id>/down", move_down, name="move_down"),
    path("event-types/<int:event_type_id>/delete", delete, name="delete_event_type"),
    path("settings/start", start, name="start"),
    path("settings/hours", hours, name="hours"),
    path("settings/hours/dates", dates, name="dates"),
    path("settings/hours/schedules", add_schedule, name="add_schedule"),
    path("settings/hours/schedules/<int:schedule_id>", schedule, name="schedule"),
    path(
        "settings/hours/schedules/<int:schedule_id>/rename", rename_schedule, name="rename_schedule"
    ),
    path("settings/hours/schedules/<int:schedule_id>/default", make_default, name="make_default"),
    path(
        "settings/hours/schedules/<int:schedule_id>/delete", delete_schedule, name="delete_schedule"
    ),
    # behind links
    path("bookings/held", held, name="held"),
    path("bookings/confirm/<str:token>", confirm_hold, name="confirm_hold"),
    path("bookings/booked/<str:token>", booked, name="booked"),
    path("bookings/calendar/<str:token>", calendar, name="calendar"),
    path("bookings/manage/<str:token>", manage, name="manage"),
    path("bookings/manage/<str:token>/erase", erase, name="erase"),
    path("bookings/erased", erased, name="erased"),
    path("bookings/answer/<str:token>", answer, name="answer"),
]
