"""Times in templates: `{{ moment|day:user }}`, `{% span start end user %}`."""

from django import template

from accounts import clock

register = template.Library()
register.filter("day", clock.day)
register.filter("time_of_day", clock.time)
register.simple_tag(clock.span, name="span")
register.simple_tag(clock.utc_span, name="utc_span")
