"""PostgreSQL's own programs, run on the database of the settings."""

import os
import subprocess

from django.db import connection
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo

# What holds for the short statements of requests: a dump takes as long as it takes.
_OF_SESSIONS = {"options", "client_encoding"}


class ProgramError(Exception):
    """Failure of a program, in its own first line."""


def run(program: str, *arguments: str) -> None:
    """Run a program that takes `--dbname`, and wait for it. ProgramError if it fails.

    It gets what libpq understands of the address, and nothing that only Django does. The password
    is in its environment, because everybody on the machine can read its arguments.
    """
    known = {each.keyword.decode() for each in Conninfo.get_defaults()} - _OF_SESSIONS
    params = connection.get_connection_params()
    address = {name: str(value) for name, value in params.items() if name in known}
    password = address.pop("password", "")
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
