"""See `core.text.formats`."""

DATETIME_FORMAT = r"j \d\e F \d\e Y, H:i T"
