"""See `core.text.formats`."""

DATETIME_FORMAT = "j F Y, H:i T"
