"""Application whose worker gets SIGTERM while it loads: before its first line, or later."""

import os
import signal
import threading

if os.environ["TOLD"] == "at once":
    os.kill(os.getpid(), signal.SIGTERM)

import config.rsgi  # noqa: F401  after the signal

print("loaded", flush=True)
threading.Event().wait()
