"""The RSGI application, which granian serves."""

from config.serving import stopping

stopping.end_while_loading()

# isort: split
from config.wsgi import application as wsgi  # noqa: E402  it sets Django up

# isort: split
from django.conf import settings  # noqa: E402

from config.serving.application import Application  # noqa: E402

application = Application(
    wsgi,
    threads=settings.REQUEST_THREADS,
    seconds=settings.CLIENT_TIMEOUT_SECONDS,
    largest_body=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    # One process that is all of Parley has no other to leave its clients to. It stops at once.
    idle_seconds=None if settings.EMBEDDED_WORKER else stopping.IDLE_SECONDS,
)
