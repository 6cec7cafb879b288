"""Serializers of weekly hours, by schedule, and of date-specific hours."""

import operator
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.serializers import ZoneField
from core.api.fields import LineField, StrictBooleanField, StrictCharField
from core.api.reading import Derived
from core.api.schema import example
from scheduling.api import examples
from scheduling.models import DateOverride, Schedule, WeeklyAvailability
from scheduling.models.enums import Weekday
from scheduling.models.hours import LONGEST_NAME
from scheduling.rules import hours


@extend_schema_field({"type": "string", "pattern": hours.TIME_PATTERN, "example": "09:00"})
class TimeField(StrictCharField):
    """Time of day as `HH:MM`, up to `24:00`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)


class WindowSerializer(serializers.Serializer[Any]):
    start = TimeField()
    end = TimeField()


class WindowsField(serializers.ListField):
    """Windows of one day."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            child=WindowSerializer(),
            max_length=hours.MOST_WINDOWS,
            error_messages={
                "min_length": "Give at least one time range, or disable the day.",
                "max_length": f"Use at most {hours.MOST_WINDOWS} time ranges a day.",
            },
            **options,
        )


class DaySerializer(serializers.Serializer[Any]):
    """A weekday's hours: `start` of the first window, `end` of the last."""

    enabled = serializers.BooleanField()
    start = TimeField()
    end = TimeField()
    windows = WindowSerializer(
        many=True, required=False, help_text="Only where there are two or more."
    )


class WeekSerializer(serializers.Serializer[Any]):
    """Hours of the weekdays, by their ISO numbers: 1 is Monday."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {str(number): DaySerializer() for number in Weekday.values}


def _day(day: hours.Day) -> dict[str, Any]:
    windows = hours.texts_of(day["windows"])
    shown = {"enabled": day["enabled"], "start": windows[0]["start"], "end": windows[-1]["end"]}
    return shown | ({"windows": windows} if len(windows) > 1 else {})


def _week(column: str) -> Derived:
    return Derived(
        lambda days: {number: _day(day) for number, day in days.items()},
        column,
        like=WeekSerializer(),
    )


@example(examples.AVAILABILITY)
class AvailabilitySerializer(serializers.Serializer[WeeklyAvailability]):
    availability = _week("default.days")
    timezone = serializers.CharField(help_text="The zone of the hours.")


class DayChangeSerializer(serializers.Serializer[Any]):
    enabled = StrictBooleanField(required=False)
    start = TimeField(required=False)
    end = TimeField(required=False)
    windows = WindowsField(
        min_length=1,
        required=False,
        help_text="Win over `start` and `end` where both are sent.",
    )


class WeekChangeSerializer(serializers.Serializer[Any]):
    """Changes of weekdays, by their ISO numbers. Weekdays that you leave out stay unchanged."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {str(number): DayChangeSerializer(required=False) for number in Weekday.values}

    def to_internal_value(self, data: Any) -> Any:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            message = "Days are 1 (Monday) to 7."
            raise serializers.ValidationError({str(name)[:20]: [message] for name in unknown})
        return super().to_internal_value(data)


@example(examples.AVAILABILITY_CHANGE)
class AvailabilityChangeSerializer(serializers.Serializer[Any]):
    availability = WeekChangeSerializer()
    timezone = ZoneField(required=False)


@example(examples.SCHEDULE)
class ScheduleSerializer(serializers.Serializer[Schedule]):
    uuid = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    is_default = Derived(
        operator.eq,
        "id",
        "user.weekly_availability.default_id",
        like=serializers.BooleanField(),
        help_text="Event types without a schedule of their own follow it.",
    )
    availability = _week("days")
    timezone = serializers.CharField(
        source="user.weekly_availability.timezone",
        help_text="The zone of the hours, the same in all your schedules.",
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    uri = Derived("/api/v1/users/me/schedules/{}".format, "id", like=serializers.CharField())


@example(examples.NEW_SCHEDULE)
class NewScheduleSerializer(serializers.Serializer[Any]):
    name = LineField(max_length=LONGEST_NAME, help_text="Unlike those of your other schedules.")
    availability = WeekChangeSerializer(
        required=False, help_text="Changes of Monday to Friday, 9:00 to 17:00."
    )


@example(examples.SCHEDULE_CHANGE)
class ScheduleChangeSerializer(serializers.Serializer[Any]):
    """Changes of a schedule. What you leave out stays unchanged."""

    name = LineField(
        max_length=LONGEST_NAME, required=False, help_text="Unlike those of your other schedules."
    )
    availability = WeekChangeSerializer(required=False)


@example(examples.OVERRIDE)
class OverrideSerializer(serializers.Serializer[DateOverride]):
    date = serializers.DateField()
    windows = Derived(
        hours.texts_of, "windows", like=WindowSerializer(many=True), help_text="None: a day off."
    )


@example(examples.OVERRIDE_CHANGE)
class OverrideChangeSerializer(serializers.Serializer[Any]):
    windows = WindowsField(help_text="None: a day off.")
