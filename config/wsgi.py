"""The WSGI application. The embedded worker starts here, in the process that answers requests."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django
from django.conf import settings

from core.ops import telemetry
from core.web.handler import Handler

django.setup(set_prefix=False)

from core.db import serving  # noqa: E402  it has a model, which needs django.setup()

serving.begin()
telemetry.start()
application = Handler()

if settings.EMBEDDED_WORKER:
    from config.worker import EmbeddedWorker

    EmbeddedWorker().start()
