"""Names that people type, where they may reach a stranger from the operator's address."""

import unicodedata
from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

_OF_LINKS = ("://", "www.")
_OF_ADDRESSES = ("/", "@")


def problem_with(name: str) -> str:
    """Return why no person is called so, in words; empty where it looks like no link or address."""
    return _problem(name, (*_OF_LINKS, *_OF_ADDRESSES))


def _problem(name: str, signs: Iterable[str]) -> str:
    plain = unicodedata.normalize("NFKC", name).casefold()
    found = next((sign for sign in signs if sign in plain), "")
    return _("A name cannot contain “%(sign)s”.") % {"sign": found} if found else ""


def validate_name(name: str) -> None:
    """Raise ValidationError for a person's name that looks like a link or an address."""
    if problem := problem_with(name):
        raise ValidationError(problem)


def validate_title(name: str) -> None:
    """Raise ValidationError for a team's name that looks like a link. `Sales / EMEA` is allowed."""
    if problem := _problem(name, _OF_LINKS):
        raise ValidationError(problem)
