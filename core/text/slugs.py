"""Words as addresses have them: lower case, a-z, digits and hyphens."""

import unicodedata

from django.utils.text import slugify

# Letters that cannot be taken apart into one of a-z and an accent, or that German writes as two.
_SPELT = str.maketrans(
    {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "æ": "ae",
        "œ": "oe",
        "ø": "o",
        "đ": "d",
        "ð": "d",
        "ħ": "h",
        "ı": "i",
        "ł": "l",
        "ŋ": "ng",
        "þ": "th",
        "ŧ": "t",
    }
)


def slug_of(text: str) -> str:
    """Return `erstgespraech` for `Erstgespräch`; empty where no letter can be written so."""
    # Composed first: a keyboard may send an umlaut as a letter and an accent.
    composed = unicodedata.normalize("NFC", text).lower()
    return slugify(composed.translate(_SPELT))
