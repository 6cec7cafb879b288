"""Names that people type, where they may reach a stranger from the operator's address."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_OF_LINKS = ("://", "www.", "/", "@")


def problem_with(name: str) -> str:
    """Return why this is no name, in words; empty where nothing in it looks like a link."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    found = next((sign for sign in _OF_LINKS if sign in plain), "")
    return _("A name cannot contain “%(sign)s”.") % {"sign": found} if found else ""


def validate_name(name: str) -> None:
    """Raise ValidationError for a name that looks like a link or an address."""
    if problem := problem_with(name):
        raise ValidationError(problem)
