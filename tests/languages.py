"""Small German catalog for tests, independent of the translators' wording."""

from pathlib import Path

import polib
from pytest_django import Settings


def speak_german(settings: Settings, folder: Path, words: dict[str, str]) -> None:
    """Make these words the only German translations for now."""
    place = folder / "de" / "LC_MESSAGES"
    place.mkdir(parents=True)
    catalog = polib.POFile()
    catalog.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalog.extend(polib.POEntry(msgid=said, msgstr=meant) for said, meant in words.items())
    catalog.save_as_mofile(str(place / "django.mo"))
    settings.LOCALE_PATHS = [folder]
