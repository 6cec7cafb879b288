"""Times in templates: `{{ moment|day:user }}`, `{% span start end user %}`; names of zones."""

from django import template
from django.utils import timezone

from accounts import clock, zones

register = template.Library()
register.filter("day", clock.day)
register.filter("time_of_day", clock.time)
register.filter("clock_face", clock.time_of_day)
register.simple_tag(clock.span, name="span")
register.simple_tag(clock.utc_span, name="utc_span")
register.filter("long_date", clock.long_date)
register.filter("full_date", clock.full_date)
register.filter("zone_name", zones.in_words)


@register.simple_tag
def zone_options(reader: clock.Reader) -> str:
    """The list of zones, with the present time in each as this reader writes it."""
    return zones.options(timezone.now(), twelve_hours="a" in reader.time_format)
