"""QR codes of public pages: what they say, to whom, and that there is none of anything else."""

import struct
import xml.etree.ElementTree as ET
import zlib

import pytest
import segno
from django.conf import settings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from tests import factories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]


def modules_of(png: bytes) -> list[list[bool]]:
    """Return the dark modules of a code in a PNG of one bit a pixel, without its light edge."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth = struct.unpack(">IIB", png[16:25])
    assert (width, depth) == (height, 1)
    length = struct.unpack(">I", png[33:37])[0]
    assert png[37:41] == b"IDAT"
    rows = zlib.decompress(png[41 : 41 + length])
    line = 1 + (width + 7) // 8
    size, border = 16, 4
    found = []
    for y in range(border * size, height - border * size, size):
        bits = rows[y * line + 1 : (y + 1) * line]
        found.append(
            [
                not bits[x // 8] >> (7 - x % 8) & 1
                for x in range(border * size, width - border * size, size)
            ]
        )
    return found


def test_the_code_is_that_of_the_public_address(client: Client, alice: User) -> None:
    made = factories.event_type(alice)
    for page in ("/alice", f"/alice/{made.slug}"):
        answer = client.get(f"{page}/qr.png")
        assert answer.headers["Content-Type"] == "image/png"
        code = segno.make_qr(settings.PUBLIC_URL + page, error="m")
        assert modules_of(answer.content) == [[bool(each) for each in row] for row in code.matrix]


def test_as_a_drawing_it_brings_no_style_and_no_script(client: Client, alice: User) -> None:
    answer = client.get("/alice/qr.svg")
    assert answer.headers["Content-Type"] == "image/svg+xml"
    drawn = ET.fromstring(answer.content)
    tags = [each.tag.rpartition("}")[2] for each in drawn.iter()]
    assert tags == ["svg", "g", "path", "path"]
    assert not any("style" in each.attrib for each in drawn.iter())


def test_it_is_kept_for_a_day_signed_in_or_not(client: Client, alice: User) -> None:
    for _who in range(2):
        answer = client.get("/alice/qr.svg")
        assert answer.headers["Cache-Control"] == "public, max-age=86400"
        assert not answer.cookies
        client.force_login(alice)


@pytest.mark.parametrize(
    "path",
    ["/nobody/qr.svg", "/alice/qr.gif", "/alice/off/qr.svg", "/alice/none/qr.svg", "/alice/qr."],
)
def test_of_what_nobody_can_book_there_is_none(client: Client, alice: User, path: str) -> None:
    factories.event_type(alice, slug="off", is_active=False)
    assert client.get(path).status_code == 404


def test_nor_of_a_person_who_is_deactivated(client: Client, alice: User) -> None:
    made = factories.event_type(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    for page in ("/alice", f"/alice/{made.slug}"):
        assert client.get(f"{page}/qr.svg").status_code == 404


def test_it_takes_one_query(
    client: Client, alice: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = factories.event_type(alice)
    for page in ("/alice", f"/alice/{made.slug}"):
        with django_assert_num_queries(1):
            client.get(f"{page}/qr.svg")
