"""Lists as CSV files for spreadsheets."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.utils import translation
from django.utils.translation import get_language, gettext

MOST_ROWS = 10_000
"""Rows of one file. A last line says that there are more."""

# A spreadsheet takes a cell that begins so for a formula, and may run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_MARK = "\ufeff"  # without it, Excel does not read UTF-8


class _Line:
    """A file that hands back each line."""

    def write(self, line: str) -> str:
        return line


def csv_file(
    name: str, heads: Sequence[str], rows: Iterable[Sequence[object]]
) -> StreamingHttpResponse:
    """Answer with these rows as a file to be downloaded. At most `MOST_ROWS` are in it."""
    lines = _lines(heads, rows, language=get_language())
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def moment(at: datetime, zone: ZoneInfo) -> str:
    """Return `2026-03-04 15:45+05:45`: a time of this zone with its offset."""
    return at.astimezone(zone).isoformat(sep=" ", timespec="minutes")


def _lines(
    heads: Sequence[str], rows: Iterable[Sequence[object]], *, language: str | None
) -> Iterator[str]:
    """Yield the lines in this language. They are asked for when the view has returned."""
    writer, rest = csv.writer(_Line()), iter(rows)
    with translation.override(language):
        yield _MARK + writer.writerow(heads)
        for row in islice(rest, MOST_ROWS):
            yield writer.writerow([_cell(str(value)) for value in row])
        if next(rest, None) is not None:
            said = gettext(
                "Only the first %(count)s rows are here. Choose fewer days to see the rest."
            )
            yield writer.writerow([said % {"count": MOST_ROWS}])


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
