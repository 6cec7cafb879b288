"""Template tag that tells whether a sign-in is recent: `{% recent_sign_in as is_recent %}`."""

from typing import Any

from django import template

from accounts.pages.signed_in import is_recent

register = template.Library()


@register.simple_tag(takes_context=True)
def recent_sign_in(context: dict[str, Any]) -> bool:
    return is_recent(context["request"])
