"""Metadata of a booking: texts that the program which booked finds again."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from core.errors import Invalid

MOST = 20
LONGEST_KEY = 40
LONGEST_VALUE = 500


def check(metadata: Mapping[str, str]) -> None:
    """Raise Invalid on `metadata` for too many keys, or for a key or a value that is too long."""
    if len(metadata) > MOST:
        message = _("Give at most %(count)d values.") % {"count": MOST}
        raise Invalid(message, field="metadata")
    if any(not 0 < len(key) <= LONGEST_KEY or "\0" in key for key in metadata):
        message = _("A key has 1 to %(count)d characters and no NUL.") % {"count": LONGEST_KEY}
        raise Invalid(message, field="metadata")
    for key, value in metadata.items():
        if len(value) > LONGEST_VALUE:
            message = _("Is over %(count)d characters long.") % {"count": LONGEST_VALUE}
            raise Invalid(message, field=f"metadata.{key}")
