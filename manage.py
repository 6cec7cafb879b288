#!/usr/bin/env python
import os
import sys

# They bring a database up to date: what fails in them is a fault of theirs.
_MIGRATING = {"migrate", "serve"}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line
    from django.db import OperationalError, ProgrammingError

    from core.db import pooling

    try:
        execute_from_command_line(sys.argv)
    except pooling.PoolerFound:
        pooling.refuse_unknown()
    except (OperationalError, ProgrammingError):
        if _MIGRATING.isdisjoint(sys.argv[1:2]):
            from core.db import retrying

            retrying.refuse_old()
        raise


if __name__ == "__main__":
    main()
