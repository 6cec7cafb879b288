"""Times in templates: `{{ moment|day:user }}`, `{% span start end user %}`; names of zones."""

from django import template
from django.utils import timezone

from core.text import times, zones

register = template.Library()
register.filter("day", times.day)
register.filter("time_of_day", times.time)
register.filter("clock_face", times.time_of_day)
register.simple_tag(times.span, name="span")
register.simple_tag(times.utc_span, name="utc_span")
register.filter("long_date", times.long_date)
register.filter("full_date", times.full_date)
register.filter("zone_name", zones.in_words)


@register.simple_tag
def zone_options(reader: times.Reader) -> str:
    """The list of zones, with the present time in each as this reader writes it."""
    return zones.options(timezone.now(), twelve_hours="a" in reader.time_format)
