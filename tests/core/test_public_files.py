"""Public files at fixed URLs: icons, the manifest and robots.txt."""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from tests.pages import stand_alone

PUBLIC = settings.BASE_DIR / "public"


@pytest.fixture(autouse=True)
def _alone(settings: Settings) -> None:
    stand_alone(settings)


def body(client: Client, address: str) -> bytes:
    response = client.get(address)
    assert response.status_code == 200
    chunks: Iterable[bytes] = response if response.streaming else [response.content]
    return b"".join(chunks)


def size(png: bytes) -> tuple[int, int]:
    assert png.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.django_db
@pytest.mark.parametrize("path", sorted(PUBLIC.iterdir()), ids=lambda path: path.name)
def test_each_is_there_without_a_look_into_the_database(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, path: Path
) -> None:
    with django_assert_num_queries(0):
        assert body(client, f"/{path.name}") == path.read_bytes()


def test_the_icon_of_old_browsers_is_small(client: Client) -> None:
    icon = body(client, "/favicon.ico")
    offset, length = struct.unpack("<II", icon[18:22] + icon[14:18])
    assert size(icon[offset : offset + length]) == (32, 32)
    assert len(icon) < 2_000


def test_the_icon_of_phones_has_the_size_that_they_ask_for(client: Client) -> None:
    assert size(body(client, "/apple-touch-icon.png")) == (180, 180)


def test_the_manifest_names_icons_that_exist_and_colours_of_ours(client: Client) -> None:
    manifest = json.loads(body(client, "/site.webmanifest"))
    for icon in manifest["icons"]:
        width, height = size(body(client, icon["src"]))
        assert icon["sizes"] == f"{width}x{height}"
    paper = "--paper: {};".format(manifest["background_color"])
    assert paper in (settings.BASE_DIR / "static/css/tokens.css").read_text()
    assert manifest["name"] == "Parley"


@pytest.mark.django_db
def test_pages_name_them(client: Client) -> None:
    page = client.get("/").content.decode()
    assert '<link rel="apple-touch-icon" href="/apple-touch-icon.png">' in page
    assert '<link rel="manifest" href="/site.webmanifest">' in page


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("/", True),
        ("/ada", True),
        ("/ada/30-minute-meeting", True),
        ("/bookings-by-ada", True),
        ("/meetings-inc/intro", True),
        ("/api/docs", True),
        ("/accounts/login/", False),
        ("/api/v1/events", False),
        ("/bookings/manage/x", False),
        ("/meetings/answer/x", False),
        ("/meetings/new", False),
        ("/event-types/new", False),
        ("/settings/profile", False),
        ("/teams/join/x", False),
        ("/admin/", False),
    ],
)
def test_robots_may_read_public_pages_alone(client: Client, address: str, allowed: bool) -> None:
    rules = RobotFileParser()
    rules.parse(body(client, "/robots.txt").decode().splitlines())
    assert rules.can_fetch("Googlebot", address) is allowed
