"""Every Python process of `make dates` imports this: waits that work under faketime.

libfaketime 0.9.10 refuses each `time.sleep` with EINVAL where it leaves the monotonic clock as it
is. It has to, since it does not know every wait that ends by that clock.
"""

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex) -> None:
    """Wait this long."""
    select.select([], [], [], float(seconds))


time.sleep = sleep
