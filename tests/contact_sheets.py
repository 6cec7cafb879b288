"""Contact sheets of the screenshots that the browser stories leave, to look at all pages at once.

`python -m tests.contact_sheets` reads `screenshots/*-phone.png` and `*-desk.png`, and writes
`screenshots/sheets/`. A page that is longer than its place on the sheet is cut off below.
"""

import shutil
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

SCREENSHOTS = Path(__file__).resolve().parent.parent / "screenshots"
# Width of a page on a sheet, pages in a row, and rows.
_FORMS = {"phone": (260, 6, 2), "desk": (640, 3, 3)}
_TALLEST = 2.2  # times its width
_GAP, _LABEL = 16, 18


def sheet(pages: Sequence[Path], *, width: int, columns: int) -> Image.Image:
    """Return one sheet with these screenshots, each under its name."""
    height = int(width * _TALLEST)
    across, down = width + _GAP, height + _LABEL + _GAP
    rows = -(-len(pages) // columns)
    whole = Image.new("RGB", (columns * across + _GAP, rows * down + _GAP), "#808080")
    draw = ImageDraw.Draw(whole)
    for number, path in enumerate(pages):
        left, top = _GAP + number % columns * across, _GAP + number // columns * down
        draw.text((left, top), path.stem, fill="white")
        with Image.open(path) as shot:
            scale = width / shot.width
            small = shot.convert("RGB").resize((width, max(1, round(shot.height * scale))))
        whole.paste(small.crop((0, 0, width, min(height, small.height))), (left, top + _LABEL))
    return whole


def main() -> None:
    folder = SCREENSHOTS / "sheets"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for size, (width, columns, rows) in _FORMS.items():
        pages = sorted(SCREENSHOTS.glob(f"*-{size}.png"))
        for start in range(0, len(pages), columns * rows):
            name = f"{size}-{start // (columns * rows) + 1:02}.png"
            batch = pages[start : start + columns * rows]
            sheet(batch, width=width, columns=columns).save(folder / name)
        print(f"{len(pages)} pages, {size}: {folder}")


if __name__ == "__main__":
    main()
