"""Page of components, and its promises about the design tokens."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from core.web.components import GROUNDS, INKS, RADII, SPACES, TEXTS, TINTS
from tests.pages import stand_alone, words

STATIC = settings.BASE_DIR / "static"
TEMPLATES = settings.BASE_DIR / "templates"


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


@pytest.fixture
def staff(alice: User) -> User:
    alice.is_staff = True
    alice.save()
    return alice


# --- who sees it ---------------------------------------------------------------------------------


def test_staff_see_it(client: Client, staff: User) -> None:
    client.force_login(staff)
    assert words(client.get("/components")).startswith("Components What pages are made of.")


@pytest.mark.django_db
def test_in_debug_everybody_does(client: Client, settings: Settings) -> None:
    settings.DEBUG = True
    assert client.get("/components").status_code == 200


def test_for_others_it_is_not_there(client: Client, bob: User) -> None:
    assert client.get("/components").status_code == 404
    client.force_login(bob)
    assert client.get("/components").status_code == 404


# --- colours -------------------------------------------------------------------------------------


def schemes() -> dict[str, dict[str, str]]:
    """Return the colors of the light and the dark scheme, by name."""
    light, _media, dark = (STATIC / "css/tokens.css").read_text().partition("@media (prefers-color")
    pairs = (re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text) for text in (light, dark))
    first, second = (dict(found) for found in pairs)
    return {"light": first, "dark": first | second}


def luminance(color: str) -> float:
    """Return the relative luminance of a color, by WCAG 2.2."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, by WCAG 2.2."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


TEXT_PAIRS = [
    *product(INKS, GROUNDS),
    *((tint, f"{tint}-tint") for tint in TINTS),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), TEXT_PAIRS)
def test_text_can_be_read_on_its_grounds(scheme: str, ink: str, ground: str) -> None:
    colors = schemes()[scheme]
    assert contrast(colors[ink], colors[ground]) >= 4.5


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), [*product(("control", "focus"), GROUNDS)])
def test_edges_of_controls_and_the_focus_can_be_seen(scheme: str, edge: str, ground: str) -> None:
    colors = schemes()[scheme]
    assert contrast(colors[edge], colors[ground]) >= 3


def test_the_dark_scheme_names_every_colour() -> None:
    text = (STATIC / "css/tokens.css").read_text()
    light, _media, dark = text.partition("@media (prefers-color")
    names = [set(re.findall(r"--([a-z-]+): #", part)) for part in (light, dark)]
    assert names[0] == names[1]


def test_colours_stand_in_the_tokens_and_nowhere_else() -> None:
    found = {
        path.name: re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{}]*;)", path.read_text())
        for path in (STATIC / "css").rglob("*.css")
        if path.name != "tokens.css"
    }
    # A picture for a camera is black on white in either scheme.
    assert {name: colors for name, colors in found.items() if colors} == {"lists.css": ["#ffffff"]}


def test_emails_wear_the_same_colours() -> None:
    """Emails cannot name tokens.

    Their inline colors are light, those in their style element dark.
    """
    light, dark = (set(colors.values()) for colors in schemes().values())
    for path in (TEMPLATES / "emails").rglob("*.html"):
        text = path.read_text()
        styles = "".join(re.findall(r"<style>.*?</style>", text, flags=re.DOTALL))
        rules = re.findall(r"\{([^{}]*)\}", styles)
        assert set(re.findall("#[0-9a-f]{6}", "".join(rules))) <= dark, path
        assert set(re.findall("#[0-9a-f]{6}", text.replace(styles, ""))) <= light, path


def test_all_motion_takes_the_time_that_the_reader_allows() -> None:
    """Motion takes no time for readers who prefer reduced motion."""
    text = (STATIC / "css/tokens.css").read_text()
    assert re.search(r"prefers-reduced-motion: reduce\) \{\s*:root \{\s*--quick: 0ms;", text)
    for path in (STATIC / "css").rglob("*.css"):
        for kind, value in re.findall(r"(transition|animation): *([^;]*);", path.read_text()):
            steps = [step.strip() for step in value.split(",")]
            assert [step for step in steps if "var(--quick)" not in step] == [], (path.name, kind)


def test_the_focus_is_hidden_only_where_something_around_it_shows_it() -> None:
    hidden = {
        path.name: re.findall(r"([^{}]*?)\s*\{[^{}]*outline: none;", path.read_text())
        for path in (STATIC / "css").rglob("*.css")
    }
    found = {name: [one.strip() for one in found] for name, found in hidden.items() if found}
    assert found == {
        "base.css": ["main:focus-visible"],  # where the link to the content leads
        "week.css": [".entry a:focus-visible"],  # the whole entry has the outline
    }


# --- what is shown -------------------------------------------------------------------------------


def test_every_token_is_shown(client: Client, staff: User) -> None:
    client.force_login(staff)
    page = client.get("/components").content.decode()
    for name in (
        *(f"gallery-text-{one}" for one in TEXTS),
        *(f"gallery-space-{one}" for one in SPACES),
        *(f"gallery-radius-{one}" for one in RADII),
        *(f"gallery-ground-{one}" for one in GROUNDS),
        *(f"gallery-ink-{one}" for one in INKS),
        *(f"gallery-tint-{one}" for one in TINTS),
    ):
        assert f"{name}" in page
    tokens = (STATIC / "css/tokens.css").read_text()
    assert re.findall(r"--text-(\w+):", tokens) == list(TEXTS)
    assert re.findall(r"--space-(\w+):", tokens) == [str(one) for one in SPACES]
    assert re.findall(r"--radius-(\w+):", tokens) == list(RADII)


def classes(html: str) -> Iterator[str]:
    for value in re.findall(r'class="([^"]*)"', html):
        yield from re.sub(r"\{[{%].*?[%}]\}", " ", value).split()


def test_no_component_is_dead(client: Client, staff: User) -> None:
    """Each class is on the page of components, in a template or set by a script."""
    client.force_login(staff)
    used = set(classes(client.get("/components").content.decode()))
    for path in TEMPLATES.rglob("*.html"):
        used |= set(classes(path.read_text()))
        used |= set(re.findall(r'{% face \S+ "([^"]*)" %}', path.read_text()))
    for path in STATIC.glob("js/*.js"):
        used |= set(re.findall(r"[a-z][a-z-]+", path.read_text()))
    parts = [path.read_text() for path in (STATIC / "css/components").glob("*.css")]
    styles = re.sub(r"/\*.*?\*/", "", "".join(parts), flags=re.DOTALL)
    selectors = re.findall(r"([^{};]+)\{", styles)
    made = {name for one in selectors for name in re.findall(r"\.([a-z][a-z0-9-]*)", one)}
    assert made - used == set()
