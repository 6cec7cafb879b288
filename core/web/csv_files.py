"""Lists as CSV files for spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from datetime import datetime
from io import TextIOWrapper
from itertools import islice
from tempfile import TemporaryFile
from zoneinfo import ZoneInfo

from django.http import FileResponse
from django.utils.translation import gettext

MOST_ROWS = 10_000
"""Rows of one file. A last line says that there are more."""

# A spreadsheet takes a cell that begins so for a formula, and may run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_file(name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> FileResponse:
    """Answer with these rows as a file to be downloaded. At most `MOST_ROWS` are in it.

    They are written into a file on disk, so that a client that reads slowly holds no query open.
    """
    file = TemporaryFile()  # noqa: SIM115  the answer closes it
    # Without the mark at its beginning, Excel does not read UTF-8.
    text = TextIOWrapper(file, "utf-8-sig", newline="", write_through=True)
    writer, rest = csv.writer(text), iter(rows)
    writer.writerow(heads)
    for row in islice(rest, MOST_ROWS):
        writer.writerow([_cell(str(value)) for value in row])
    if next(rest, None) is not None:
        said = gettext("Only the first %(count)s rows are here. Choose fewer days to see the rest.")
        writer.writerow([said % {"count": MOST_ROWS}])
    text.detach()
    file.seek(0)
    kind = "text/csv; charset=utf-8"
    return FileResponse(file, as_attachment=True, filename=name, content_type=kind)


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return `2026-03-04 15:45+05:45`: a time of this zone with its offset."""
    return at.astimezone(zone).isoformat(sep=" ", timespec="minutes")


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
