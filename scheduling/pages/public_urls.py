"""Where anybody books. Every other address goes before these: a username is whatever is left."""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from scheduling.pages.public import event_type, host, unslashed


class NameConverter(StringConverter):
    """A text that PostgreSQL can be asked for: it takes no NUL."""

    regex = r"[^/\x00]+"


register_converter(NameConverter, "name")

app_name = "public"
urlpatterns = [
    path("<name:username>", host, name="host"),
    path("<name:username>/<name:slug>", event_type, name="event_type"),
    path("<path:path>/", unslashed, name="unslashed"),
]
