import hashlib
import signal
import sys
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

_THREADS = 4
# What a worker does is in the database: there is nothing to wait for when somebody ends it.
_STOP_SECONDS = 1


def _collect_static() -> None:
    """Collect and compress the static files; not again while none has changed since."""
    files = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list([]):
            files.update(f"{path} {storage.get_modified_time(path)}\n".encode())
    stamp = settings.STATIC_ROOT / "collected"
    if not stamp.exists() or stamp.read_text() != files.hexdigest():
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(files.hexdigest())


class Command(BaseCommand):
    help = "Set the database up, and serve Parley on PORT with a worker in the same process."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-demo", action="store_true", help="leave an empty database without demo people"
        )

    def handle(self, *, no_demo: bool, **options: Any) -> None:
        # A shell that starts us in the background has us ignore SIGINT; Ctrl-C must end us.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        call_command("migrate", verbosity=0)
        _collect_static()
        if not no_demo:
            call_command("seed_demo", if_empty=True)
        self.stdout.write(f"\n  Parley           {settings.PUBLIC_URL}")
        self.stdout.write(f"  Emails           {settings.EMAIL_FILE_PATH or settings.EMAIL_HOST}")
        if not no_demo:
            call_command("seed_demo", tour=True)
        self.stdout.flush()
        server = Granian(
            "config.wsgi:application",
            address=settings.HOST,
            port=settings.PORT,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=_THREADS,
            workers_kill_timeout=_STOP_SECONDS,
            log_level=LogLevels.error,
        )
        server.serve()
        sys.exit(0)
