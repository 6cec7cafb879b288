"""The RSGI application, which granian serves."""

# First: it sets Django up.
from config.wsgi import application as wsgi  # isort: split

from django.conf import settings

from config.serving.application import Application

application = Application(
    wsgi,
    threads=settings.REQUEST_THREADS,
    seconds=settings.CLIENT_TIMEOUT_SECONDS,
    largest_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
)
