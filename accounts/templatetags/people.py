"""People in templates: `{% face user %}`, `{% public_address user %}`."""

from django import template
from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import User

register = template.Library()


@register.simple_tag
def public_address(person: User) -> str:
    """Return the whole address of a person's public page, to be shared."""
    return settings.PUBLIC_URL + reverse("public:host", args=[person.username])


@register.simple_tag
def face(person: User, more: str = "") -> SafeString:
    """Return a person's picture, or else their initial. `more` is a class for another size.

    Their name always stands beside it, so it says nothing to those who cannot see.
    """
    classes = f"face {more}".strip()
    if not person.picture_digest:
        return format_html(
            '<span class="{}" aria-hidden="true">{}</span>', classes, person.name[:1].upper()
        )
    return format_html(
        '<img class="{}" src="{}" alt="" width="36" height="36" decoding="async">',
        classes,
        reverse("public:picture", args=[person.picture_digest]),
    )
