"""See `core.text.formats`."""

DATETIME_FORMAT = "j M Y, H:i T"
