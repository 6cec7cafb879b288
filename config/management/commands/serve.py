import hashlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connections
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from core.db import serving
from core.ops import environment
from core.ops.version import VERSION

# As in production (Dockerfile): so many connections at once, and a request's headers must come so
# soon and be no larger. `config/serving` bounds all else.
_CONNECTIONS = 1_024
_HEADER_MILLISECONDS = 10_000
_HEADER_BYTES = 65_536
# For the tasks in hand when somebody ends us. What they leave is in the database.
_STOP_SECONDS = 1


def _collect_static() -> None:
    """Collect and compress the static files; not again while none has changed since."""
    files = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            files.update(f"{path} {storage.get_modified_time(path)}\n".encode())
    stamp = settings.STATIC_ROOT / "collected"
    with environment.writing_to("STATIC_ROOT"):
        if not stamp.exists() or stamp.read_text() != files.hexdigest():
            call_command("collectstatic", interactive=False, verbosity=0)
            stamp.write_text(files.hexdigest())


def _refuse_taken_port() -> None:
    """Granian would share a port that another Parley listens on, and half the requests with it."""
    family = socket.AF_INET6 if ":" in settings.HOST else socket.AF_INET
    try:
        socket.create_server((settings.HOST, settings.PORT), family=family).close()
    except OverflowError:
        environment.refuse("PORT", "must be below 65536")
    except OSError as error:
        environment.refuse("PORT", f"cannot be listened on: {os.strerror(error.errno or 0)}")


def _load_application() -> Any:  # of granian's interfaces its types know the callable ones
    """The application, in the process that answers requests, which must not outlive its parent."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    from config.rsgi import application

    return application


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent:
        parent.join()
        os._exit(1)


class Command(BaseCommand):
    help = "Set the database up, and serve Parley on PORT with a worker in the same process."

    def get_version(self) -> str:
        return VERSION

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-demo", action="store_true", help="leave an empty database without demo people"
        )

    def handle(self, *, no_demo: bool, **options: Any) -> None:
        # A shell that starts us in the background has us ignore SIGINT; Ctrl-C must end us.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            _refuse_taken_port()
            serving.refuse_wrong()
            self._set_up(no_demo=no_demo)
        except KeyboardInterrupt:
            sys.exit(128 + signal.SIGINT)
        connections.close_all()  # none may be shared with the process that answers requests
        server = Granian(
            "config.rsgi:application",
            address=settings.HOST,
            port=settings.PORT,
            interface=Interfaces.RSGI,
            workers=1,
            http=HTTPModes.http1,
            http1_settings=HTTP1Settings(
                header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_HEADER_BYTES
            ),
            websockets=False,
            backpressure=_CONNECTIONS,
            workers_kill_timeout=_STOP_SECONDS,
            log_level=LogLevels.error,
        )
        # A closed terminal ends us; Granian would take it for a wish to reload.
        on_hangup = partial(signal.signal, signal.SIGHUP, server.signal_handler_interrupt)
        server.on_startup(on_hangup)
        server.serve(target_loader=_load_application, wrap_loader=False)
        # There is nothing left to do, and Python would take half a second to tidy up for it.
        self.stdout.flush()
        os._exit(0)

    def _set_up(self, *, no_demo: bool) -> None:
        call_command("migrate", verbosity=0)
        _collect_static()
        if not no_demo:
            call_command("seed_demo", if_empty=True)
        self.stdout.write(f"\n  Parley {VERSION:<9} {settings.PUBLIC_URL}")
        self.stdout.write(f"  Emails           {settings.EMAIL_FILE_PATH or settings.EMAIL_HOST}")
        if not no_demo:
            call_command("seed_demo", tour=True)
        self.stdout.flush()
