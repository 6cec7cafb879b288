"""Settings, picture: what is taken, what is kept of it, and who sees it."""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.domain import pictures
from accounts.models import Picture, User
from core.errors import Busy, Invalid
from core.people import privacy
from tests import factories
from tests.pages import NOW, everything, main, words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_now")]

PAGE, UPLOAD, REMOVE = "/settings/profile", "/settings/picture", "/settings/picture/remove"
UNREADABLE = "This picture cannot be read. Use a PNG, JPEG or WebP file."


@pytest.fixture
def signed_in(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


def upload(client: Client, data: bytes, name: str = "me.png") -> Any:
    return client.post(UPLOAD, {"picture": SimpleUploadedFile(name, data)}, follow=True)


def kept(alice: User, data: bytes) -> Image.Image:
    pictures.keep(user=alice, data=data, now=NOW)
    return Image.open(BytesIO(bytes(Picture.objects.get().data)))


def colours(image: Image.Image) -> list[str]:
    """Return the colours at the left and right and at the top and bottom of a picture."""
    seen = image.convert("RGB")
    last, middle = pictures.SIDE - 10, pictures.SIDE // 2
    places = [(9, middle), (last, middle), (middle, 9), (middle, last)]
    found = [seen.getpixel(place) for place in places]
    return ["red" if isinstance(one, tuple) and one[0] > one[2] else "blue" for one in found]


# --- uploading ----------------------------------------------------------------------------------


def test_a_picture_takes_the_place_of_the_initial(signed_in: Client, alice: User) -> None:
    factories.event_type(alice)
    assert '<span class="face" aria-hidden="true">A</span>' in signed_in.get("/").content.decode()
    answer = upload(signed_in, factories.picture((600, 400)))
    assert "Your picture has been saved." in words(answer)
    alice.refresh_from_db()
    address = f"/pictures/{alice.picture_digest}"
    for page in ("/", "/alice", "/alice/30-minute-meeting", PAGE):
        assert f'src="{address}" alt=""' in Client().get(page).content.decode() or page in (
            "/",
            PAGE,
        )
        assert f'src="{address}" alt=""' in signed_in.get(page).content.decode()
    assert (
        factories.client(alice, "users:read").get("/api/v1/users/me").json()["data"]["avatar_url"]
        == f"http://localhost{address}"
    )


def test_a_picture_is_replaced_and_removed(signed_in: Client, alice: User) -> None:
    upload(signed_in, factories.picture())
    first = Picture.objects.get().digest
    upload(signed_in, factories.picture((30, 8)))
    second = Picture.objects.get().digest
    assert second != first
    assert signed_in.get(f"/pictures/{first}").status_code == 404
    answer = signed_in.post(REMOVE, follow=True)
    assert "Your picture has been removed." in words(answer)
    assert signed_in.get(f"/pictures/{second}").status_code == 404
    alice.refresh_from_db()
    assert alice.picture_digest == ""
    assert "Remove the picture" not in main(answer)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", UNREADABLE),
        (b"GIF89a" + bytes(60), UNREADABLE),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', UNREADABLE),
        (factories.picture(kind="GIF"), UNREADABLE),
        (factories.picture(kind="TIFF"), UNREADABLE),
        (factories.picture()[:45], UNREADABLE),
        (factories.picture((64, 64), "JPEG")[:300], UNREADABLE),
        (bytes(2_000_001), "This file is too large: at most 2 MB."),
    ],
    ids=["empty", "text", "svg", "gif", "tiff", "cut png", "cut jpeg", "large"],
)
def test_what_is_no_picture_is_refused(signed_in: Client, data: bytes, error: str) -> None:
    before = everything()
    page = upload(signed_in, data)
    assert f'<ul class="errorlist" id="picture-error"><li>{error}</li></ul>' in main(page)
    assert everything() == before


def test_a_form_without_a_file_says_so(signed_in: Client) -> None:
    assert "Choose a picture first." in words(signed_in.post(UPLOAD))


def test_name_and_type_are_not_believed(signed_in: Client) -> None:
    file = SimpleUploadedFile("x.svg", factories.picture(kind="WEBP"), "image/svg+xml")
    signed_in.post(UPLOAD, {"picture": file})
    page = signed_in.get(f"/pictures/{Picture.objects.get().digest}")
    assert page.headers["Content-Type"] == "image/webp"


# --- what is kept -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_middle_is_kept_as_a_small_square(alice: User, kind: str) -> None:
    image = kept(alice, factories.picture((1200, 300), kind))
    assert (image.format, image.size) == ("WEBP", (256, 256))
    assert colours(image)[:2] == ["red", "blue"]
    assert len(Picture.objects.get().data) < 40_000


def test_a_photo_with_more_pictures_behind_it_is_read(alice: User) -> None:
    first, second = (Image.new("RGB", (300, 200), colour) for colour in ("red", "blue"))
    file = BytesIO()
    first.save(file, "MPO", save_all=True, append_images=[second])
    assert colours(kept(alice, file.getvalue())) == ["red"] * 4


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_pictures_of_every_mode_are_read(alice: User, mode: str) -> None:
    file = BytesIO()
    Image.new(mode, (40, 30)).save(file, "JPEG" if mode == "CMYK" else "PNG")
    assert kept(alice, file.getvalue()).size == (256, 256)


def test_even_noise_is_kept_small(alice: User) -> None:
    noise = Image.effect_noise((256, 256), 200)
    file = BytesIO()
    Image.merge("RGB", [noise, noise.rotate(90), noise.rotate(180)]).save(file, "PNG")
    pictures.keep(user=alice, data=file.getvalue(), now=NOW)
    assert len(Picture.objects.get().data) <= 40_000


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, ["red", "blue"]),
        (2, ["blue", "red"]),
        (3, ["blue", "red"]),
        (6, ["red", "blue"]),
        (8, ["blue", "red"]),
    ],
)
def test_it_stands_as_the_camera_was_held(alice: User, orientation: int, seen: list[str]) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = kept(alice, factories.picture((300, 300), "JPEG", exif=exif))
    across, down = colours(image)[:2], colours(image)[2:]
    assert (down if orientation in (6, 8) else across) == seen


def test_nothing_of_the_camera_is_kept(alice: User) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x8825] = "Camera of Alice", {1: "N", 2: (52.0, 31.0, 0.0)}
    data = factories.picture((300, 300), "JPEG", exif=exif, comment=b"said by Alice")
    assert b"Camera of Alice" in data
    image = kept(alice, data)
    assert (dict(image.getexif()), image.info.keys() - {"loop", "background"}) == ({}, set())
    whole = bytes(Picture.objects.get().data)
    assert not [mark for mark in (b"Alice", b"EXIF", b"ICCP", b"XMP ") if mark in whole]


# --- bounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: factories.picture((4001, 4000)), "This picture has too many pixels."),
        (lambda: factories.picture((6400, 6300), "JPEG"), "This picture has too many pixels."),
        (lambda: factories.picture((8, 8), "JPEG") + b"\xff\xda" * 64, UNREADABLE),
    ],
    ids=["png", "jpeg", "scans"],
)
def test_a_small_file_that_takes_much_is_refused(
    alice: User, make: Callable[[], bytes], says: str
) -> None:
    data = make()
    assert len(data) <= pictures.MOST_BYTES
    with pytest.raises(Invalid) as refused:
        pictures.keep(user=alice, data=data, now=NOW)
    assert refused.value.message == says


def test_pictures_are_decoded_one_at_a_time(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    turn = threading.Lock()
    monkeypatch.setattr(pictures, "_turn", turn)
    monkeypatch.setattr(pictures, "_WAIT_SECONDS", 0.01)
    with turn, pytest.raises(Busy):
        pictures.keep(user=alice, data=factories.picture(), now=NOW)
    with pytest.raises(Invalid):
        pictures.keep(user=alice, data=b"x", now=NOW)
    pictures.keep(user=alice, data=factories.picture(), now=NOW)


# --- who sees it --------------------------------------------------------------------------------


def test_it_may_be_kept_by_whoever_has_seen_it(signed_in: Client, alice: User) -> None:
    pictures.keep(user=alice, data=factories.picture(), now=NOW)
    for visitor in (Client(), signed_in):
        page = visitor.get(f"/pictures/{alice.picture_digest}")
        assert page.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r"[0-9a-f]{32}", alice.picture_digest)


def test_two_people_with_one_picture_have_two_addresses(alice: User, bob: User) -> None:
    for person in (alice, bob):
        pictures.keep(user=person, data=factories.picture(), now=NOW)
    assert alice.picture_digest != bob.picture_digest


def test_it_goes_with_its_person(client: Client, alice: User) -> None:
    pictures.keep(user=alice, data=factories.picture(), now=NOW)
    address = f"/pictures/{alice.picture_digest}"
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get(address).status_code == 404
    User.objects.filter(pk=alice.pk).update(is_active=True)
    assert client.get(address).status_code == 200
    privacy.erase(person_id=alice.pk, now=NOW + timedelta(days=1))
    assert client.get(address).status_code == 404
    assert (Picture.objects.count(), User.objects.get(pk=alice.pk).picture_digest) == (0, "")
