"""Named places at which a crash is interesting.

Each is a no-op unless `FAULT_POINT` in the environment names it; then the process dies there as by
`kill -9`. The crash tests arm one point after another and count what is lost.
"""

import os
import signal


def point(name: str) -> None:
    """Die here, if this place is armed."""
    if os.environ.get("FAULT_POINT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
