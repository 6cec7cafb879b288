"""Pictures of people: decoded within bounds, drawn anew as a small square, kept in the database."""

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _
from PIL import Image, ImageOps

from accounts.domain import services
from accounts.models import Picture, User
from core.errors import Busy, Invalid

MOST_BYTES = 2_000_000
"""Bytes of a file that is taken. With the rest of its form it fits into the largest body."""
SIDE = 256
"""Width and height of a kept picture, in pixels."""
_MOST_KEPT = 40_000
_QUALITIES = (85, 70, 50, 30)
_FORMATS = ("JPEG", "PNG", "WEBP")
# A JPEG is decoded at a fraction of its size; others need four bytes and more for each pixel. Many
# phones make an MPO: a JPEG with more pictures behind it.
_MOST_PIXELS = {"JPEG": 40_000_000, "MPO": 40_000_000, "PNG": 16_000_000, "WEBP": 16_000_000}
# Each scan of a progressive JPEG passes over the whole picture, however short it is in the file.
_SCAN, _MOST_SCANS = b"\xff\xda", 16
_ORIENTATION = 0x0112
# Pictures are decoded one at a time, so that this process needs the memory of one.
_turn = threading.Lock()
_WAIT_SECONDS = 5


def keep(*, user: User, data: bytes, now: datetime) -> None:
    """Make this file the person's picture, in place of an earlier one.

    Invalid for a file that is too large or no PNG, JPEG or WebP. Neither its name nor its type is
    believed. Busy if too many others wait.
    """
    drawn = _drawn(data)
    digest = hashlib.sha256(user.uuid.encode() + drawn).hexdigest()[:32]
    with transaction.atomic():
        services.lock(user.pk)
        Picture.objects.update_or_create(
            user=user, defaults={"digest": digest, "data": drawn, "created_at": now}
        )
        _note(user, digest)


@transaction.atomic
def remove(*, user: User) -> None:
    services.lock(user.pk)
    Picture.objects.filter(user=user).delete()
    _note(user, "")


def _note(user: User, digest: str) -> None:
    User.objects.filter(pk=user.pk).update(picture_digest=digest)
    user.picture_digest = digest


def url_of(person: User) -> str:
    """Return the whole address of a person's picture, or empty."""
    digest = person.picture_digest
    return settings.PUBLIC_URL + reverse("public:picture", args=[digest]) if digest else ""


def too_large() -> str:
    return _("This file is too large: at most %(size)d MB.") % {"size": MOST_BYTES // 1_000_000}


def _drawn(data: bytes) -> bytes:
    """Return the middle of the picture as a WebP of `SIDE` by `SIDE`, without metadata."""
    if len(data) > MOST_BYTES:
        raise Invalid(too_large(), field="picture")
    if data.count(_SCAN) > _MOST_SCANS:
        raise Invalid(_unreadable(), field="picture")
    with _decoding():
        try:
            with Image.open(BytesIO(data), formats=_FORMATS) as image:
                is_small = image.width * image.height <= _MOST_PIXELS[str(image.format)]
                small = _square(image) if is_small else None
        except Exception as error:  # of a broken file, Pillow raises nearly any error
            raise Invalid(_unreadable(), field="picture") from error
    if small is None:
        raise Invalid(_("This picture has too many pixels."), field="picture")
    for quality in _QUALITIES:
        drawn = BytesIO()
        small.save(drawn, "WEBP", quality=quality)
        if drawn.tell() <= _MOST_KEPT:
            break
    return drawn.getvalue()


def _unreadable() -> str:
    return _("This picture cannot be read. Use a PNG, JPEG or WebP file.")


@contextmanager
def _decoding() -> Iterator[None]:
    if not _turn.acquire(timeout=_WAIT_SECONDS):
        raise Busy(_("Many pictures arrive right now. Try again."), retry_after=_WAIT_SECONDS)
    try:
        yield
    finally:
        _turn.release()


def _square(image: Image.Image) -> Image.Image:
    """Return the middle of the picture, turned as its camera was held, and nothing beside it."""
    orientation = image.getexif().get(_ORIENTATION)
    image.draft("RGB", (2 * SIDE, 2 * SIDE))
    has_alpha = image.has_transparency_data
    mode = "RGBA" if has_alpha else "RGB"
    whole = image if image.mode == mode else image.convert(mode)
    side = min(whole.size)
    left, top = (whole.width - side) // 2, (whole.height - side) // 2
    box = (left, top, left + side, top + side)
    small = whole.resize((SIDE, SIDE), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    if orientation:
        small.getexif()[_ORIENTATION] = orientation
        small = ImageOps.exif_transpose(small)
    return Image.frombytes(mode, small.size, small.tobytes())
