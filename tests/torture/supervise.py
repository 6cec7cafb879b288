"""Run `python <arguments>` for ever, as an operator's supervisor does: `Restart=always`.

A Celery worker may end itself when its broker goes away at an unlucky moment.
"""

import subprocess
import sys

if __name__ == "__main__":
    while True:
        print("supervise: starts", flush=True)
        subprocess.run([sys.executable, *sys.argv[1:]], check=False)
