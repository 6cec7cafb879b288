"""Telephone numbers: read as people write them, kept in one form."""

import re

from core.text import zones

# Any but a line break: no number has two lines.
_SPACE = re.compile(r"[^\S\r\n]")

LONGEST = 40
"""Characters of a number, as it is typed and as it is kept."""


def read(text: str, *, near: tuple[str, ...]) -> str:
    """Return the number in E.164 with its extension: `+442079460958 ext. 12`.

    A number without a country code belongs to the country of the first of these time zones (IANA
    names) that lies in one. Raise ValueError for a text that is no number.
    """
    # Late: its tables take a while to load, and most processes meet no number.
    import phonenumbers

    region = next(filter(None, map(zones.country_of, near)), None)
    try:
        number = phonenumbers.parse(_SPACE.sub(" ", text), region)
    except phonenumbers.NumberParseException as error:
        raise ValueError("no telephone number") from error
    kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension:
        kept = f"{kept} ext. {number.extension}"
    if len(kept) > LONGEST:
        raise ValueError("too long a telephone number")
    return kept
