"""Does something in a deployment: `python -m benchmarks.inside roles.hosts 5`.

That is a function of a module of `benchmarks`; arguments are JSON, and so is what it prints.
"""

import json
import sys
from importlib import import_module

import django


def main() -> None:
    django.setup()
    _path, role, *arguments = sys.argv
    module, _dot, name = role.rpartition(".")
    act = getattr(import_module(f"benchmarks.{module}"), name)
    print(json.dumps(act(*map(json.loads, arguments))))


if __name__ == "__main__":
    main()
