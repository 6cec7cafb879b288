"""The WSGI application. The embedded worker starts here, in the process that answers requests."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()

if settings.EMBEDDED_WORKER:
    from config.worker import EmbeddedWorker

    EmbeddedWorker().start()
