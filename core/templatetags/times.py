"""Times in templates: `{{ moment|day:user }}`, `{% span start end user %}`; names of zones."""

from datetime import datetime

from django import template
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.text import times, zones

register = template.Library()
register.filter("day", times.day)
register.filter("time_of_day", times.time)
register.filter("clock_face", times.time_of_day)
register.simple_tag(times.span, name="span")
register.simple_tag(times.days, name="days")
register.filter("long_date", times.long_date)
register.filter("full_date", times.full_date)
register.filter("zone_name", zones.in_words)
register.filter("zone_place", zones.place)
register.filter("utc_offset", zones.offset)


@register.simple_tag
def when(
    start: datetime, end: datetime, person: times.Reader, *, has_zone: bool = True
) -> SafeString:
    """Return `span` as HTML. Times and the zone wrap as a whole; the zone has a lower voice.

    A page that names the zone once leaves it out of each time.
    """
    zone = format_html(' <span class="zone">{}</span>', zones.in_words(person.zone))
    until = ""
    if not times.are_on_one_day(start, end, person):
        until = format_html("{}, ", times.date_of(end, person))
    return format_html(
        '<span class="figures">{}, <span class="nowrap">{} –</span> {}'
        '<span class="nowrap">{}</span>{}</span>',
        times.date_of(start, person),
        times.time(start, person),
        until,
        times.time(end, person),
        zone if has_zone else "",
    )


@register.simple_tag
def leaf(start: datetime, person: times.Reader, is_open: bool = True) -> SafeString:
    """Return the date of `start` as a leaf of a calendar, for the eye alone."""
    day = start.astimezone(person.zone)
    month, weekday = (dateformat.format(day, letter) for letter in "MD")
    return format_html(
        '<div class="leaf{}" aria-hidden="true"><span class="leaf-month">{}</span>'
        '<span class="leaf-day">{}</span><span class="leaf-weekday">{}</span></div>',
        "" if is_open else " leaf-over",
        month,
        day.day,
        weekday,
    )


@register.simple_tag
def zone_options(reader: times.Reader) -> str:
    """The list of zones, with the present time in each as this reader writes it."""
    return zones.options(timezone.now(), twelve_hours="a" in reader.time_format)
