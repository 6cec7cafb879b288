"""Runner of the whole suite, once on SQLite and once on PostgreSQL and Valkey.

Usage: `python -m tests.lanes test|torture [ARGUMENTS of pytest]`

Tests marked `alone` measure, race or kill. They run after the others, in one process for each
database, both at once: such a test mostly waits. Tests marked `once` do not depend on the database
and run on SQLite. Tests marked `postgresql` run there only. Tests marked `beset` compare times, so
they run by `make torture`, with nothing beside them.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from tempfile import TemporaryFile

from tests import services

# Each process takes a half of the suite in its order: the world of a module is mostly made once.
IN_TWO = ("-n", "2", "--dist", "worksteal")
NO_TEST = 5  # pytest's exit code; it is a failure only if no run had any


@dataclass(frozen=True)
class Lane:
    title: str
    environment: Mapping[str, str]
    elsewhere: str  # the mark of what another lane runs

    def command(self, marks: str, *options: str) -> list[str]:
        chosen = f"{marks} and not clients and not failover and not {self.elsewhere}"
        return [sys.executable, "-m", "pytest", *options, "-m", chosen]


def main(suite: str, arguments: Sequence[str]) -> int:
    """Run the suite. Return pytest's exit code for all runs together."""
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    bare = {name: value for name, value in os.environ.items() if name not in _OF_SERVICES}
    with services.postgresql() as database, services.valkey() as broker:
        there = {"DATABASE_URL": database.url, "REDIS_URL": broker.url}
        lanes = [
            Lane("SQLite, no broker", bare, elsewhere="postgresql"),
            Lane("PostgreSQL and Valkey", bare | there, elsewhere="once"),
        ]
        if suite == "torture":
            codes = [run(lane, lane.command("torture"), arguments) for lane in lanes]
        else:
            codes = [run(lane, lane.command("not alone", *IN_TWO), arguments) for lane in lanes]
            codes += run_at_once(lanes, arguments)
    if set(codes) <= {0, NO_TEST}:
        return min(codes)
    return 1


_OF_SERVICES = ("DATABASE_URL", "REDIS_URL")


def run(lane: Lane, command: Sequence[str], arguments: Sequence[str]) -> int:
    print(f"== {lane.title}", flush=True)
    with subprocess.Popen([*command, *arguments], env=lane.environment) as process:
        return _end_of(process)


def run_at_once(lanes: Sequence[Lane], arguments: Sequence[str]) -> list[int]:
    """Run the `alone` tests of all lanes at once. The output of each lane comes in one piece."""
    with ExitStack() as stack:
        runs = []
        for lane in lanes:
            output = stack.enter_context(TemporaryFile())
            command = [*lane.command("alone and not beset"), *arguments]
            process = subprocess.Popen(command, env=lane.environment, stdout=output, stderr=output)
            runs.append((lane, stack.enter_context(process), output))
        codes = []
        for lane, process, output in runs:
            codes.append(_end_of(process))
            output.seek(0)
            text = output.read().decode(errors="replace")
            print(f"== {lane.title}, what runs alone\n{text}", flush=True)
    return codes


def _end_of(process: "subprocess.Popen[bytes]") -> int:
    try:
        return process.wait()
    except BaseException:
        process.terminate()
        raise


if __name__ == "__main__":
    suite, *arguments = sys.argv[1:] or [""]
    if suite not in ("test", "torture"):
        sys.exit("usage: python -m tests.lanes test|torture [ARGUMENTS]")
    try:
        sys.exit(main(suite, arguments))
    except services.ServiceError as error:
        sys.exit(f"tests.lanes: {error}")
