"""Environment of the suite, set before Django reads its settings (a pytest plugin)."""

import atexit
import base64
import os
import shutil
import tempfile
from urllib.parse import urlsplit

data_dir = tempfile.mkdtemp(prefix="parley-tests-")
atexit.register(shutil.rmtree, data_dir, ignore_errors=True)

os.mkdir(os.path.join(data_dir, "static"))  # whitenoise looks for it when it starts

os.environ |= {
    "DATA_DIR": data_dir,
    "SECRET_KEY": "tests-only-" + "0123456789abcdef" * 4,
    "ENCRYPTION_KEYS": base64.b64encode(bytes(range(32))).decode(),
    "PUBLIC_URL": "http://localhost",
    # Tests of the limits set their own; the others ask as fast as they can.
    "API_RATE_LIMITS": "1000000/s,1000000/min,1000000/h,1000000/day",
    **dict.fromkeys(
        (
            "LIMIT_ACCOUNT_MAILS",
            "LIMIT_BOOKINGS_API",
            "LIMIT_GUESTS_DAY",
            "LIMIT_HOLDS",
            "LIMIT_HOLDS_HOST",
            "LIMIT_HOLDS_CLIENT",
            "LIMIT_BOOKINGS_CLIENT",
            "LIMIT_BOOKINGS_DAY",
            "LIMIT_BOOKINGS_HOUR",
            "LIMIT_BOOKINGS_OPEN",
            "LIMIT_INVITATIONS",
            "LIMIT_INVITATIONS_NEW",
            "LIMIT_MEETING_REQUESTS",
            "LIMIT_PUBLIC_POSTS",
            "LIMIT_RESCHEDULES",
            "LIMIT_RESCHEDULES_HOST",
        ),
        "0",
    ),
}

# Each process of pytest-xdist (gw0, gw1...) has a broker and a cache of its own; pytest-django
# sees to the database. Number 0 is that of a run in one process.
worker = os.environ.get("PYTEST_XDIST_WORKER")
if worker and os.environ.get("REDIS_URL"):
    number = int(worker.removeprefix("gw")) + 1
    os.environ["REDIS_URL"] = urlsplit(os.environ["REDIS_URL"])._replace(path=f"/{number}").geturl()
