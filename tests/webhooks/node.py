"""Webhook receivers in JavaScript, with their packages."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest


class Node:
    """Runner of modules in a folder with an installed package.

    It skips with a warning if it cannot.
    """

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request, self.folder = request, folder
        self._program, npm = shutil.which("node"), shutil.which("npm")
        if not self._program or not npm:
            self._skip("node or npm is not on PATH")
        self._install(str(npm), "standardwebhooks")

    def _install(self, npm: str, package: str) -> None:
        if (self.folder / "node_modules" / package).is_dir():
            return
        (self.folder / "package.json").write_text('{"private": true, "type": "module"}')
        command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", package]
        try:
            done = subprocess.run(
                command, cwd=self.folder, capture_output=True, text=True, timeout=120, check=False
            )
        except subprocess.TimeoutExpired:
            self._skip(f"npm did not install {package} within two minutes")
        if done.returncode:
            self._skip(f"npm cannot install {package}: {done.stderr.strip()[-300:]}")

    def _skip(self, reason: str) -> NoReturn:
        reporter: Any = self._request.config.pluginmanager.get_plugin("terminalreporter")
        reporter.write_line(f"\nSKIPPED {self._request.node.nodeid}: {reason}", yellow=True)
        pytest.skip(reason)

    def run(self, source: str, data: object) -> Any:
        """Run the module with `data` as JSON on its standard input.

        Return the JSON that it prints.
        """
        (self.folder / "main.js").write_text(source)
        done = subprocess.run(
            [str(self._program), "main.js"],
            cwd=self.folder,
            input=json.dumps(data),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def node(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Node:
    """Return the runner, installed once for each run."""
    folder = tmp_path_factory.getbasetemp() / "node"
    folder.mkdir(exist_ok=True)
    return Node(request, folder)
