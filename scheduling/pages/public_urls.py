"""URLs of the public booking pages.

Every other URL comes before these, because a username matches anything that is left.
"""

from django.urls import path, register_converter
from django.urls.converters import StringConverter

from accounts.pages.pictures import picture
from scheduling.pages.public import event_type, host, unslashed
from scheduling.pages.qr import qr_of_event_type, qr_of_host


class NameConverter(StringConverter):
    """Text that PostgreSQL accepts: it has no NUL."""

    regex = r"[^/\x00]+"


register_converter(NameConverter, "name")

app_name = "public"
urlpatterns = [
    path("pictures/<name:digest>", picture, name="picture"),
    path("<name:username>", host, name="host"),
    # No slug has a dot.
    path("<name:username>/qr.<str:kind>", qr_of_host, name="qr_of_host"),
    path("<name:username>/<name:slug>/qr.<str:kind>", qr_of_event_type, name="qr_of_event_type"),
    path("<name:username>/<name:slug>", event_type, name="event_type"),
    path("<path:path>/", unslashed, name="unslashed"),
]
