"""Process that has loaded everything and opened nothing, and forks children that do a role.

A start of Parley takes a second or two, a fork some milliseconds. That makes hundreds of crashes
affordable. The process reads one question a line, and answers with one line; see
`deployment.Zygote`.
"""

import ctypes
import json
import os
import signal
import sys
import threading
import traceback
from typing import Any, NoReturn

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    # What the parts print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    import django

    django.setup()
    from django.db import connections

    from tests.torture import roles

    roles.warm_up()
    values: dict[int, int] = {}
    for line in sys.stdin:
        question = json.loads(line)
        if "wait" in question:
            answer = _wait(question["wait"], values.pop(question["wait"]))
        else:
            assert threading.active_count() == 1
            assert not any(c.connection for c in connections.all(initialized_only=True))
            reader, writer = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(reader)
                _be(getattr(roles, question["role"]), question, writer)
            os.close(writer)
            values[pid] = reader
            answer = {"pid": pid}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def _wait(pid: int, reader: int) -> dict[str, Any]:
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _pid, status = os.waitpid(pid, 0)
    value = json.loads(text) if text else None
    return {"code": os.waitstatus_to_exitcode(status), "value": value}


def _be(role: Any, question: dict[str, Any], writer: int) -> NoReturn:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os.environ["FAULT_POINT"] = question["fault"]
    code = 1
    try:
        with os.fdopen(writer, "w") as pipe:
            json.dump(role(*question["arguments"]), pipe)
        code = 0
    except BaseException:
        traceback.print_exc()
    os._exit(code)


if __name__ == "__main__":
    main()
