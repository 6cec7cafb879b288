"""Setup by hosts: their hours and their event types."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypedDict

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.domain import limits
from accounts.domain.services import lock
from accounts.models import User, usernames
from calendars.domain import ledger
from core.db.prepared import Named
from core.errors import Conflict, Invalid, NotFound
from core.text.links import require_link
from core.text.slugs import slug_of
from core.text.zones import names
from scheduling.domain import holds
from scheduling.models import DateOverride, EventType, FormerSlug, Schedule, WeeklyAvailability
from scheduling.models.event_types import new_event_type_uuid
from scheduling.rules import custom_fields, hours
from scheduling.rules.hours import Day, WindowText

_LONGEST_SLUG = 80
_LONGEST_NAME = 120
# Event types that one statement orders anew.
_BATCH = 100
# A UTC date so long ago is over in every zone.
_SURELY_PASSED = timedelta(days=2)
_NAMED = Named(lambda user: EventType.objects.visible_to(user).with_hours())
_NAMED_SCHEDULE = Named(Schedule.objects.visible_to)
# Number of event types that a refusal names.
_MOST_NAMED = 3


class DayChange(TypedDict, total=False):
    """Change of a weekday. `windows` take precedence over `start` and `end`."""

    enabled: bool
    start: str
    end: str
    windows: Sequence[WindowText]


# --- hours --------------------------------------------------------------------------------------


def open_hours(*, user: User) -> None:
    """Create the hours of a new account: Monday to Friday, nine to five, in its first zone."""
    default = Schedule.objects.create(user=user, name=_("Working hours"))
    WeeklyAvailability.objects.create(user=user, timezone=str(user.zone), default=default)


@transaction.atomic
def set_hours(
    *,
    user: User,
    days: Mapping[str, DayChange],
    timezone: str = "",
    schedule: Schedule | None = None,
) -> WeeklyAvailability:
    """Change these weekdays (ISO, as text) of a schedule, or of the default if it is None.

    Other weekdays stay. So does the zone, which all schedules share, if it is empty. Raise Invalid
    for an unknown zone or day, an end that is not after its start, and windows that overlap. The
    field is a path such as `availability.1.end`. Raise NotFound if the schedule no longer exists.
    """
    lock(user.pk)
    weekly = WeeklyAvailability.objects.select_related("default").get(user=user)
    changed = find_schedule(key=str(schedule.pk), user=user) if schedule else weekly.default
    change_days(changed, days)
    if timezone:
        require_zone(timezone)
        weekly.timezone = timezone
    changed.save()
    weekly.save()
    return weekly


def require_zone(timezone: str) -> None:
    """Raise Invalid for a name that is no time zone."""
    if timezone not in names():
        raise Invalid(_("There is no such time zone."), field="timezone")


def change_days(schedule: Schedule, days: Mapping[str, DayChange]) -> None:
    """Change the weekdays as `set_hours` does, without saving them."""
    for number, change in days.items():
        if number not in schedule.days:
            raise Invalid(_("Days are 1 (Monday) to 7."), field=f"availability.{number[:20]}")
        schedule.days[number] = _changed(schedule.days[number], change, f"availability.{number}")


def _changed(day: Day, change: DayChange, field: str) -> Day:
    found = day["windows"]
    if "windows" in change:
        if not change["windows"]:
            message = _("Give at least one time range, or disable the day.")
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
    """Set the hours of one date; no windows mean a day off. Raise Invalid as in `set_hours`.

    At the limit, dates that have passed are deleted to make room. Raise LimitReached if that is not
    enough.
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
    """Give the date its weekday's hours again. Raise NotFound if it had no other hours."""
    deleted, _by_model = DateOverride.objects.filter(user=user, date=day).delete()
    if not deleted:
        raise NotFound("override not found")


# --- schedules ----------------------------------------------------------------------------------


def find_schedule(*, key: str, user: User) -> Schedule:
    """Return a schedule of this person by number or uuid. Raise NotFound otherwise."""
    for found in _NAMED_SCHEDULE.objects(key, user=user.pk):
        return found
    raise NotFound("schedule not found")


@transaction.atomic
def create_schedule(
    *, user: User, name: str, days: Mapping[str, DayChange] | None = None
) -> Schedule:
    """Create a schedule: Monday to Friday, nine to five, with these changes.

    Raise Invalid for a name that is taken, and as in `set_hours`. Raise ValidationError for a name
    that the model refuses. Raise LimitReached if the host has too many already.
    """
    host = lock(user.pk)
    limits.require_room("schedules", Schedule.objects.visible_to(host))
    schedule = Schedule(user=host, name=name)
    change_days(schedule, days or {})
    _save_schedule(schedule)
    return schedule


@transaction.atomic
def update_schedule(
    *, schedule: Schedule, name: str | None = None, days: Mapping[str, DayChange] | None = None
) -> Schedule:
    """Change the name, if it is given, and these weekdays.

    Raise Invalid or ValidationError as in `create_schedule`. Raise NotFound if the schedule no
    longer exists.
    """
    locked = _locked(schedule)
    if name is not None:
        locked.name = name
    change_days(locked, days or {})
    _save_schedule(locked)
    return locked


@transaction.atomic
def make_default(*, schedule: Schedule) -> Schedule:
    """Make it the schedule of the event types that name none. Raise NotFound if it is gone."""
    locked = _locked(schedule)
    weekly = locked.user.weekly_availability
    weekly.default = locked
    weekly.save()
    return locked


def followers(*, schedule: Schedule) -> "QuerySet[EventType, EventType]":
    """Return the event types that follow this schedule, in the order of their host."""
    follows = Q(schedule=schedule)
    if schedule.is_default:
        follows |= Q(schedule=None)
    return EventType.objects.filter(follows, host=schedule.user_id)


@transaction.atomic
def delete_schedule(*, schedule: Schedule) -> None:
    """Delete a schedule. Raise Conflict if it is the default, or if event types follow it."""
    locked = _locked(schedule)
    if locked.is_default:
        message = _("This is your default schedule. Make another one the default first.")
        raise Conflict(message, reason="default")
    used_by = list(followers(schedule=locked).values_list("name", flat=True))
    if used_by:
        message = ngettext(
            "%(count)d event type follows this schedule: %(names)s. Choose another schedule for"
            " it first.",
            "%(count)d event types follow this schedule: %(names)s. Choose another schedule for"
            " them first.",
            len(used_by),
        )
        said = ", ".join(used_by[:_MOST_NAMED]) + (" …" if len(used_by) > _MOST_NAMED else "")
        raise Conflict(message % {"count": len(used_by), "names": said}, reason="in_use")
    locked.delete()


def _locked(schedule: Schedule) -> Schedule:
    """Lock the host, and return the present state of the schedule. Raise NotFound if it is gone."""
    host = lock(schedule.user_id)
    locked = find_schedule(key=str(schedule.pk), user=host)
    locked.user = host
    return locked


def _save_schedule(schedule: Schedule) -> None:
    # Databases differ in the letters whose case they can fold. So the names are compared here.
    others = Schedule.objects.visible_to(schedule.user).exclude(pk=schedule.pk)
    taken = {name.casefold() for name in others.values_list("name", flat=True)}
    if schedule.name.casefold() in taken:
        raise Invalid(_("You have a schedule with this name already."), field="name")
    schedule.full_clean(validate_constraints=False)
    schedule.save()


# --- event types --------------------------------------------------------------------------------


def find_event_type(*, key: str, user: User) -> EventType:
    """Return an event type of this person by number or uuid. Raise NotFound otherwise."""
    for found in _NAMED.objects(key, user=user.pk):
        return found
    raise NotFound("event type not found")


@transaction.atomic
def create_event_type(*, host: User, link_later: bool | None = None, **values: Any) -> EventType:
    """Create an event type. Its slug is made from its name unless one is given.

    `link_later` says that the link to join follows, as it does where none is given. Raise Invalid
    or ValidationError for values that the model refuses. Raise LimitReached if the host has too
    many already.
    """
    lock(host.pk)  # one at a time: each is counted, and finds the next free slug
    limits.require_room("event_types", EventType.objects.visible_to(host))
    event_type = EventType(host=host, **values)
    if not event_type.slug:
        event_type.slug = _free_slug(host, event_type.name)
    _choose_link(event_type, values.get("location_link"), link_later)
    _save(event_type)
    _take_slug(event_type)
    return event_type


@transaction.atomic
def update_event_type(
    *, event_type: EventType, link_later: bool | None = None, **values: Any
) -> EventType:
    """Change only these values. The slug stays when the name changes, because links are shared.

    `link_later` takes the link to join away. A former slug leads to the new one for a while. Raise
    Invalid or ValidationError as in `create_event_type`. Raise NotFound if the event type no longer
    exists.
    """
    lock(event_type.host_id)
    # Read again under the lock: somebody may have changed another value.
    locked = EventType.objects.with_hours().filter(pk=event_type.pk).first()
    if locked is None:
        raise NotFound("event type not found")
    was = locked.slug
    for name, value in values.items():
        setattr(locked, name, value)
    _choose_link(locked, values.get("location_link"), link_later)
    _save(locked)
    if locked.slug != was:
        _take_slug(locked)
        _reserve_slug(locked, was)
    return locked


@transaction.atomic
def duplicate_event_type(*, event_type: EventType) -> EventType:
    """Copy an event type, and place the copy after it. The copy has another name and slug.

    The copy is inactive, so that nobody books it before its host has looked at it. Raise
    LimitReached if the host has too many already. Raise NotFound if the event type no longer
    exists.
    """
    host = lock(event_type.host_id)
    own = EventType.objects.visible_to(host)
    limits.require_room("event_types", own)
    copy = own.filter(pk=event_type.pk).first()
    if copy is None:
        raise NotFound("event type not found")
    copy.pk, copy.uuid, copy._state.adding = None, new_event_type_uuid(), True
    copy.name = Truncator(_("Copy of %(name)s") % {"name": copy.name}).chars(_LONGEST_NAME)
    copy.slug, copy.is_active = _free_slug(host, copy.name), False
    copy.save()
    ids = [pk for pk in own.values_list("pk", flat=True) if pk != copy.pk]
    ids.insert(ids.index(event_type.pk) + 1, copy.pk)
    _put_in_order(own, ids)
    return copy


@transaction.atomic
def move_event_type(*, event_type: EventType, by: int) -> None:
    """Move an event type up (-1) or down (1) by one place of its host's list.

    Nothing happens at either end, or if it no longer exists.
    """
    own = EventType.objects.visible_to(lock(event_type.host_id))
    ids = list(own.values_list("pk", flat=True))
    if event_type.pk in ids:
        place = ids.index(event_type.pk)
        ids.insert(max(place + by, 0), ids.pop(place))
        _put_in_order(own, ids)


def _put_in_order(own: QuerySet[EventType, EventType], ids: Sequence[int]) -> None:
    """Number the places of a host's event types in this order."""
    places = {pk: place for place, pk in enumerate(ids)}
    moved = [each for each in own.only("sort_order") if each.sort_order != places[each.pk]]
    for each in moved:
        each.sort_order, each.updated_at = places[each.pk], timezone.now()
    EventType.objects.bulk_update(moved, ["sort_order", "updated_at"], batch_size=_BATCH)


def _take_slug(event_type: EventType) -> None:
    """Free this slug if the same event type had it before. Raise Invalid if another one had it.

    Somebody may have the link of the other event type, and would book something else.
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


def _choose_link(event_type: EventType, given: str | None, link_later: bool | None) -> None:
    """Set the link to join, or leave it empty if it follows. Other locations have no link.

    Raise Invalid where both or neither was asked for.
    """
    if not event_type.is_online:
        if given or link_later:
            field = "location_link" if given else "link_later"
            raise Invalid(_("This location has no meeting link."), field=field)
        event_type.location_link = ""
    elif link_later and given:
        raise Invalid(_("Give the link, or say that it follows, but not both."), field="link_later")
    elif link_later:
        event_type.location_link = ""
    elif link_later is not None and not event_type.location_link:
        raise Invalid(_("Give the link, or say that it follows."), field="location_link")
    require_link(event_type.location_link, field="location_link")


def _save(event_type: EventType) -> None:
    own = Schedule.objects.visible_to(event_type.host)
    if event_type.schedule_id and not own.filter(pk=event_type.schedule_id).exists():
        raise Invalid(_("You have no such schedule."), field="schedule_id")
    if event_type.durations:
        lengths = sorted({*event_type.durations, event_type.duration})
        event_type.durations = lengths if len(lengths) > 1 else []
    custom_fields.check_questions(event_type.custom_fields)
    if event_type.location == "custom" and not event_type.location_custom:
        raise Invalid(
            _("Enter the location details for a custom location."), field="location_custom"
        )
    event_type.full_clean(validate_constraints=False)
    try:
        event_type.validate_constraints()
    except ValidationError as error:  # there is only one
        raise Invalid(error.messages[0], field="slug") from None
    event_type.save()


def _free_slug(host: User, name: str) -> str:
    """Return a slug made from the name.

    If the host has or had this slug, the first free number is added.
    """
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
    """Delete the event type and return True.

    If it has bookings, deactivate and keep it, and return False. So does a hold of the last day:
    limits count its email.
    """
    ledger.lock_people([event_type.host_id])  # booking takes this lock too
    holds.withdraw(event_type=event_type)
    if event_type.bookings.exists() or event_type.holds.exists():
        event_type.is_active = False
        event_type.save(update_fields=["is_active", "updated_at"])
        return False
    event_type.delete()
    return True
