"""Browsers in templates: `{{ agent|browser }}`."""

from django import template

from core.text import browsers

register = template.Library()
register.filter("browser", browsers.in_words)
