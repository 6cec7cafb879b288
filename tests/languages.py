"""A few words of German: tests neither wait for translators nor break when they change a word."""

from pathlib import Path

import polib
from pytest_django import Settings


def speak_german(settings: Settings, folder: Path, words: dict[str, str]) -> None:
    """These words are all German that this product knows for now."""
    place = folder / "de" / "LC_MESSAGES"
    place.mkdir(parents=True)
    catalog = polib.POFile()
    catalog.metadata = {"Content-Type": "text/plain; charset=UTF-8"}
    catalog.extend(polib.POEntry(msgid=said, msgstr=meant) for said, meant in words.items())
    catalog.save_as_mofile(str(place / "django.mo"))
    settings.LOCALE_PATHS = [folder]
