"""Checks of the texts that people give as a name or as an email address."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.deconstruct import deconstructible
from django.utils.translation import gettext_lazy as _

# Control characters, ends of lines and paragraphs, characters without a width or a shape, and those
# that turn the direction of the text around them. Every field refuses NUL already; a tab is as good
# as a space.
_HIDDEN = re.compile(
    r"[\x01-\x08\x0a-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    r"\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffc"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
    # Persian and Indic letters and emoji need a joiner between two of them; Latin does not.
    r"|(?<![^\s\x00-\u058f])[\u200c\u200d]|[\u200c\u200d](?![^\s\x00-\u058f\u200c\u200d])"
)


def validate_line(text: str) -> None:
    """Refuse a text that is more than one line, or holds a character that nobody can see."""
    if _HIDDEN.search(text):
        raise ValidationError(
            _("May not hold line breaks, control characters or invisible characters."),
            code="hidden",
        )


@deconstructible
class AddressValidator(EmailValidator):
    """The email addresses that Django takes, except those that mail servers cannot tell apart.

    Django allows control characters in a quoted local part, invisible characters in a domain, and
    a few letters outside ASCII that its pattern takes for the K, I and S that they look like.
    """

    def __call__(self, value: str | None) -> None:
        super().__call__(value)
        text = value or ""
        local = text.rpartition("@")[0]
        if _HIDDEN.search(text) or not _is_printable_ascii(local) or local == '""':
            raise ValidationError(self.message, code=self.code, params={"value": value})


def _is_printable_ascii(text: str) -> bool:
    return text.isascii() and text.isprintable()


validate_address = AddressValidator()


class LineFormField(forms.CharField):
    """A form's field for a name or the like."""

    default_validators = [validate_line]


class AddressFormField(forms.EmailField):
    """A form's field for an email address."""

    default_validators = [validate_address]
