"""Sentences in templates: `{{ message|one_stop }}`, `{{ description|rich }}`."""

import re

from django import template
from django.template.defaultfilters import stringfilter

from core.text import markdown

register = template.Library()
register.filter("rich", markdown.html_of)
register.filter("plain", markdown.plain_of)

_TWO_STOPS = re.compile(r"(?<!\.)\.\.(?!\.)")


@register.filter(is_safe=True)
@stringfilter
def one_stop(text: str) -> str:
    """A sentence that ends with a name such as `Jo Jr.` ends with one full stop."""
    return _TWO_STOPS.sub(".", text)
