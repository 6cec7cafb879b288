"""Browsers in templates: `{{ agent|browser }}`."""

from django import template

from accounts import browsers

register = template.Library()
register.filter("browser", browsers.in_words)
