"""People in templates: `{% public_address user as address %}`."""

from django import template
from django.conf import settings
from django.urls import reverse

from accounts.models import User

register = template.Library()


@register.simple_tag
def public_address(person: User) -> str:
    """Return the whole address of a person's public page, to be shared."""
    return settings.PUBLIC_URL + reverse("public:host", args=[person.username])
