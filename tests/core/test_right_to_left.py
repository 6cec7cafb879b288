"""Pages in right-to-left languages."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from tests.pages import stand_alone

STYLES = sorted((settings.BASE_DIR / "static" / "css").glob("*.css"))
# What names a side of the page, where CSS has a name for the side of the text.
SIDED = re.compile(
    r"(?:^|[\s;{])("
    r"(?:margin|padding|border|inset|scroll-margin|scroll-padding)-(?:left|right)[a-z-]*"
    r"|border-(?:top|bottom)-(?:left|right)-radius"
    r"|left|right"
    r"|(?:float|clear|text-align): *(?:left|right)\b"
    r")(?=\s*[:;])"
)


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)
    settings.LANGUAGES = [*settings.LANGUAGES, ("ar", "العربية")]


@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/meetings", "/nowhere"])
def test_pages_run_from_right_to_left(client: Client, alice: User, path: str) -> None:
    if path == "/meetings":
        client.force_login(alice)
    page = client.get(path, headers={"Accept-Language": "ar"}).content.decode()
    assert '<html lang="ar" dir="rtl">' in page
    assert (
        '<html lang="en">' in client.get(path, headers={"Accept-Language": "en"}).content.decode()
    )


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_styles_speak_of_start_and_end(path: Path) -> None:
    assert SIDED.findall(re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)) == []


@pytest.mark.parametrize(
    "rule",
    ["margin-left: 1px;", "left: 0;", "text-align: right;", "border-top-left-radius: 2px;"],
)
def test_a_style_that_names_a_side_is_found(rule: str) -> None:
    assert SIDED.findall(f".a {{\n  {rule}\n}}") != []
