"""Sleep for processes of `make dates`, each of which imports this: it works under faketime.

libfaketime 0.9.10 refuses each `time.sleep` with EINVAL while it leaves the monotonic clock
unchanged. It must refuse, because it does not know every wait that ends by that clock.
"""

import select
import time
from typing import SupportsIndex


def sleep(seconds: float | SupportsIndex) -> None:
    """Wait this long."""
    select.select([], [], [], float(seconds))


time.sleep = sleep
