"""What hosts set up: their hours and their event types."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.domain import limits
from accounts.domain.services import lock
from accounts.models import User, usernames
from calendars.domain import ledger
from core.db.prepared import Named
from core.errors import Invalid, NotFound
from core.text.slugs import slug_of
from core.text.zones import names
from scheduling.models import DateOverride, EventType, FormerSlug, WeeklyAvailability
from scheduling.rules import custom_fields, hours
from scheduling.rules.hours import Day, WindowText

_LONGEST_SLUG = 80
# A date of UTC's so long ago is over in every zone.
_SURELY_PASSED = timedelta(days=2)
_NAMED = Named(lambda user: EventType.objects.visible_to(user).with_hours())


class DayChange(TypedDict, total=False):
    """What is to change about a weekday: `windows` win over `start` and `end`."""

    enabled: bool
    start: str
    end: str
    windows: Sequence[WindowText]


# --- hours --------------------------------------------------------------------------------------


def open_hours(*, user: User) -> None:
    """A new account's hours: Monday to Friday, nine to five, in the zone it begins with."""
    WeeklyAvailability.objects.create(user=user, timezone=str(user.zone))


@transaction.atomic
def set_hours(
    *, user: User, days: Mapping[str, DayChange], timezone: str = ""
) -> WeeklyAvailability:
    """Change these weekdays (ISO, as text); the others, and the zone if empty, stay as they are.

    Invalid for a zone or day that is none, an end that is not after its start, and windows that
    overlap; the field is a path such as `availability.1.end`.
    """
    lock(user.pk)
    row = WeeklyAvailability.objects.get(user=user)
    change_hours(row, days=days, timezone=timezone)
    row.save()
    return row


def change_hours(
    row: WeeklyAvailability, *, days: Mapping[str, DayChange], timezone: str = ""
) -> None:
    """What `set_hours` does to the row, without saving it."""
    if timezone and timezone not in names():
        raise Invalid(_("There is no such time zone."), field="timezone")
    for number, change in days.items():
        if number not in row.days:
            raise Invalid(_("Days are 1 (Monday) to 7."), field=f"availability.{number[:20]}")
        row.days[number] = _changed(row.days[number], change, f"availability.{number}")
    row.timezone = timezone or row.timezone


def _changed(day: Day, change: DayChange, field: str) -> Day:
    found = day["windows"]
    if "windows" in change:
        if not change["windows"]:
            message = _("Give at least one window, or disable the day.")
            raise Invalid(message, field=f"{field}.windows")
        found = hours.windows(change["windows"], field=f"{field}.windows")
    elif "start" in change or "end" in change:
        start = change.get("start", hours.text_of(found[0][0]))
        end = change.get("end", hours.text_of(found[-1][1]))
        whole = hours.window(WindowText(start=start, end=end), field=field)
        if whole != (found[0][0], found[-1][1]):  # else the breaks in between stay
            found = [whole]
    return Day(enabled=change.get("enabled", day["enabled"]), windows=found)


@transaction.atomic
def set_override(*, user: User, day: date, windows: Sequence[WindowText]) -> DateOverride:
    """Other hours on one date; none: a day off. Invalid as in `set_hours`.

    At the limit the dates that have passed make room; LimitReached where there are none.
    """
    found = hours.windows(windows, field="windows")
    lock(user.pk)
    others = DateOverride.objects.filter(user=user).exclude(date=day)
    if limits.refusal("overrides", others):
        others.filter(date__lt=timezone.now().date() - _SURELY_PASSED).delete()
        limits.require_room("overrides", others)
    override, _created = DateOverride.objects.update_or_create(
        user=user, date=day, defaults={"windows": found}
    )
    return override


def delete_override(*, user: User, day: date) -> None:
    """The date has its weekday's hours again. NotFound where it had no others."""
    deleted, _by_model = DateOverride.objects.filter(user=user, date=day).delete()
    if not deleted:
        raise NotFound("override not found")


# --- event types --------------------------------------------------------------------------------


def find_event_type(*, key: str, user: User) -> EventType:
    """An event type of this person's by number or uuid, or NotFound."""
    for found in _NAMED.objects(key, user=user.pk):
        return found
    raise NotFound("event type not found")


@transaction.atomic
def create_event_type(*, host: User, **values: Any) -> EventType:
    """A new event type. Its slug is made from its name unless one is given.

    Invalid or ValidationError for values that the model does not take; LimitReached for one too
    many.
    """
    lock(host.pk)  # one after the other is counted and finds the next free slug
    limits.require_room("event_types", EventType.objects.visible_to(host))
    event_type = EventType(host=host, **values)
    if not event_type.slug:
        event_type.slug = _free_slug(host, event_type.name)
    _save(event_type)
    _take_slug(event_type)
    return event_type


@transaction.atomic
def update_event_type(*, event_type: EventType, **values: Any) -> EventType:
    """Change these values and no other. The slug stays when the name changes: addresses are shared.

    A slug that is changed leads to the new one for a while. Invalid or ValidationError as in
    `create_event_type`; NotFound where it is gone by now.
    """
    lock(event_type.host_id)
    # As it is now, under the lock: somebody may have changed something else of it.
    locked = EventType.objects.with_hours().filter(pk=event_type.pk).first()
    if locked is None:
        raise NotFound("event type not found")
    was = locked.slug
    for name, value in values.items():
        setattr(locked, name, value)
    _save(locked)
    if locked.slug != was:
        _take_slug(locked)
        _reserve_slug(locked, was)
    return locked


def _take_slug(event_type: EventType) -> None:
    """Take back a slug that this event type had before; Invalid where another one had it.

    Somebody may have the address of that other one, and would book something else.
    """
    former = FormerSlug.objects.filter(host=event_type.host_id, slug=event_type.slug)
    if former.exclude(event_type=event_type).exists():
        raise Invalid(_("This address still leads to another event type of yours."), field="slug")
    former.delete()


def _reserve_slug(event_type: EventType, was: str) -> None:
    if event_type.former_slugs.count() >= usernames.MOST_FORMER:
        message = _("An address can be changed %(count)d times in %(days)d days.")
        raise Invalid(message % usernames.LIMIT, field="slug")
    FormerSlug.objects.create(host_id=event_type.host_id, event_type=event_type, slug=was)


def _save(event_type: EventType) -> None:
    custom_fields.check_questions(event_type.custom_fields)
    if event_type.location == "custom" and not event_type.location_custom:
        raise Invalid(_("Say where, since the location is custom."), field="location_custom")
    event_type.full_clean(validate_constraints=False)
    try:
        event_type.validate_constraints()
    except ValidationError as error:  # the one that there is
        raise Invalid(error.messages[0], field="slug") from None
    event_type.save()


def _free_slug(host: User, name: str) -> str:
    """From the name; with the first free number behind it where the host has or had such a one."""
    words = re.sub(r"[-_]+", "-", slug_of(name)).strip("-")
    stem = words[:_LONGEST_SLUG].strip("-") or "meeting"
    given_up = FormerSlug.objects.filter(host=host).values_list("slug", flat=True)
    taken = {*host.event_types.values_list("slug", flat=True), *given_up}
    slug, number = stem, 2
    while slug in taken:
        slug = f"{stem[: _LONGEST_SLUG - len(str(number)) - 1]}-{number}"
        number += 1
    return slug


@transaction.atomic
def delete_event_type(*, event_type: EventType) -> bool:
    """Delete it; False where it has bookings: then it is deactivated and kept."""
    ledger.lock_people([event_type.host_id])  # whoever books it holds this lock
    if event_type.bookings.exists():
        event_type.is_active = False
        event_type.save(update_fields=["is_active", "updated_at"])
        return False
    event_type.delete()
    return True
