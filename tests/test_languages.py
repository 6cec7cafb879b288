"""Message catalogs: complete translations with the same placeholders, compiled from the sources."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest
from django.conf import settings

ROOT = Path(__file__).parent.parent
CATALOG = Path("LC_MESSAGES/django.po")
pytestmark = pytest.mark.look  # at files: once is enough
LANGUAGES = [code for code, _name in settings.LANGUAGES if code != "en"]
_APART = (
    ".*",
    "__pycache__",
    "benchmarks",
    "docs",
    "locale",
    "screenshots",
    "static",
    "tests",
    "var",
)

Key = tuple[str | None, str, str]

every_language = pytest.mark.parametrize("language", LANGUAGES)


def committed(language: str) -> Path:
    return ROOT / "locale" / language / CATALOG


def entries(path: Path) -> polib.POFile:
    """Return the catalog of a path, or an empty one if there is none."""
    return polib.pofile(str(path)) if path.exists() else polib.POFile()


def keys(catalog: polib.POFile | polib.MOFile) -> set[Key]:
    return {key(entry) for entry in catalog if not entry.obsolete}


def key(entry: polib.POEntry | polib.MOEntry) -> Key:
    return entry.msgctxt, entry.msgid, entry.msgid_plural


def need(*programs: str) -> None:
    """Skip the test without these programs, or fail where they must exist."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing and os.environ.get("REQUIRE_GETTEXT") == "1":
        pytest.fail(f"not on PATH: {', '.join(missing)}")
    if missing:
        pytest.skip(f"not on PATH, so no messages are gathered: {', '.join(missing)}")


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run `make messages` on a copy of the tree without catalogs. Return its `locale` folder."""
    need("make", "xgettext", "msgmerge", "msgfmt")
    copy = tmp_path_factory.mktemp("gathered") / "parley"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*_APART))
    done = subprocess.run(
        ["make", "messages", f"PYTHON={sys.executable}", "-o", ".venv/.dev-installed"],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return copy / "locale"


@every_language
def test_the_catalog_holds_what_the_sources_say_and_nothing_else(
    language: str, gathered: Path
) -> None:
    catalog = entries(committed(language))
    assert catalog.obsolete_entries() == []
    said, held = keys(entries(gathered / language / CATALOG)), keys(catalog)
    assert (said - held, held - said) == (set(), set()), "make messages, then translate"


@every_language
def test_everything_is_translated(language: str) -> None:
    catalog = entries(committed(language))
    assert [entry.msgid for entry in catalog if not entry.translated()] == []
    found = re.search(r"nplurals=(\d+)", catalog.metadata.get("Plural-Forms", ""))
    assert found, "the header says how many forms a plural has"
    forms = set(range(int(found[1])))
    assert [e.msgid for e in catalog if e.msgid_plural and set(e.msgstr_plural) != forms] == []


@every_language
def test_a_translation_names_what_its_source_names(language: str) -> None:
    wrong = [
        (sources[-1], text)
        for sources, text in translations(entries(committed(language)))
        if shape(text) not in [shape(source) for source in sources]
    ]
    assert wrong == []


def translations(catalog: polib.POFile) -> Iterator[tuple[list[str], str]]:
    """Yield each translation with the texts that it may stand for: singular and plural forms."""
    for entry in catalog:
        if entry.msgstr:
            yield [entry.msgid], entry.msgstr
        for text in filter(None, entry.msgstr_plural.values()):
            yield [entry.msgid, entry.msgid_plural], text


def shape(text: str) -> tuple[set[str], list[str], list[str], str, str]:
    """Return named and positional placeholders, elements, and leading and trailing space."""
    plain = text.replace("%%", "")
    return (
        set(re.findall(r"%\(\w+\)[sd]|\{\w*\}", plain)),
        sorted(re.findall(r"%[sd]", plain)),
        sorted(re.findall(r"</?[a-z]\w*", plain)),
        text[: len(text) - len(text.lstrip())],
        text[len(text.rstrip()) :],
    )


@pytest.mark.parametrize(
    ("source", "translation", "fits"),
    [
        ("Hello %(name)s,", "Hallo %(name)s,", True),
        ("%(what)s with %(name)s", "Mit %(name)s: %(what)s", True),
        ("%s of %s", "%s", False),
        ("Hello %(name)s,", "Hallo %(Name)s,", False),
        ("{count} left", "noch {anzahl}", False),
        ("<em>recover</em>", "<em>recover<em>", False),
        ("Moved ", "Verschoben", False),
        ("100%% sure", "zu 100%% sicher", True),
    ],
)
def test_what_fits(source: str, translation: str, fits: bool) -> None:
    assert (shape(source) == shape(translation)) is fits


@every_language
def test_what_is_read_is_what_the_catalog_compiles_to(language: str, tmp_path: Path) -> None:
    need("msgfmt")
    source, compiled = committed(language), tmp_path / "django.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", compiled, source], check=True)
    fresh, kept = polib.mofile(str(compiled)), polib.mofile(str(source.with_suffix(".mo")))
    assert said(kept) == said(fresh)


def said(catalog: polib.MOFile) -> dict[Key, tuple[str, dict[int, str]]]:
    return {key(entry): (entry.msgstr, entry.msgstr_plural) for entry in catalog}
