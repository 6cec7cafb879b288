"""Times in templates: `{{ moment|day:user }}`, `{% span start end user %}`, a list of zones."""

from django import template

from accounts import clock, zones

register = template.Library()
register.filter("day", clock.day)
register.filter("time_of_day", clock.time)
register.filter("clock_face", clock.time_of_day)
register.simple_tag(clock.span, name="span")
register.simple_tag(clock.utc_span, name="utc_span")
register.filter("long_date", clock.long_date)
register.filter("full_date", clock.full_date)
register.simple_tag(zones.options, name="zone_options")
