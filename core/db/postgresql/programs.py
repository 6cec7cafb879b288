"""PostgreSQL's own programs, run on the database of the settings."""

import os
import subprocess

from django.db import OperationalError, connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

from core.db import pooling

# Mark of libpq on a value that nobody may see.
_SECRET = b"*"
# What holds for the short statements of requests: a dump takes as long as it takes.
_OF_SESSIONS = {"options", "client_encoding"}


class ProgramError(Exception):
    """Failure of a program, in its own first line."""


def run(program: str, *arguments: str) -> None:
    """Run a program that takes `--dbname`, and wait for it. ProgramError if it fails.

    It gets what libpq understands of the address, and nothing that only Django does. The password
    is in its environment, because everybody on the machine can read its arguments. An address with
    another secret is refused, and so is a database behind a pooler.
    """
    try:
        pooling.require_none()
    except OperationalError as error:
        raise ProgramError(str(error).partition("\n")[0]) from error
    known = {each.keyword.decode(): each for each in Conninfo.get_defaults()}
    params = connection.get_connection_params()
    address = {
        name: str(value)
        for name, value in params.items()
        if name in known and name not in _OF_SESSIONS
    }
    password = address.pop("password", "")
    for name in address:
        if known[name].dispchar == _SECRET:
            raise ProgramError(f"{program} would show {name} to everybody on this machine")
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    command = [program, *arguments, "--dbname", make_conninfo(**address)]
    try:
        done = subprocess.run(  # noqa: S603  no shell reads it
            command, env=environment, stderr=subprocess.PIPE, text=True, check=False
        )
    except FileNotFoundError:
        raise ProgramError(f"{program} is not there: install PostgreSQL's client") from None
    if done.returncode:
        raise ProgramError(done.stderr.strip().partition("\n")[0] or f"{program} failed")
