"""The Celery application: `celery -A config worker`, `celery -A config beat`."""

import logging.config
import os
from typing import Any

from celery import Celery, Task
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_shutting_down,
)
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from core.ops import shares

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("parley", task_cls="core.ops.shares:SharingTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

_REQUEST_ID = "request_id"


@setup_logging.connect
def _log_as_everybody(**_: Any) -> None:
    """Set up the project's log format.

    Celery sets up no format of its own if this signal has a receiver.
    """
    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
@beat_init.connect
def _watch(**_: Any) -> None:
    from core.ops import telemetry

    telemetry.start()


@worker_init.connect
def _begin(**_: Any) -> None:
    from core.db import serving

    serving.begin()


@worker_init.connect
def _share_out(sender: Any, **_: Any) -> None:
    """Divide the worker's threads among the queues that it takes messages from."""
    shares.divide(sender.concurrency, sender.app.amqp.queues.consume_from)


@worker_shutting_down.connect
def _wind_up(**_: Any) -> None:
    shares.stopping.set()


@before_task_publish.connect
def _pass_on(headers: dict[str, Any], **_: Any) -> None:
    """Send the number of the request along with a task that it asked for."""
    if request_id := get_contextvars().get(_REQUEST_ID):
        headers[_REQUEST_ID] = request_id


@task_prerun.connect
def _take_up(task: "Task[Any, Any]", task_id: str, **_: Any) -> None:
    clear_contextvars()
    bind_contextvars(task=task.name, task_id=task_id)
    if request_id := task.request.get(_REQUEST_ID):
        bind_contextvars(request_id=request_id)


@task_postrun.connect
def _lay_down(**_: Any) -> None:
    clear_contextvars()
