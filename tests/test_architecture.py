"""Imports run down the floors, never up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = ("config", "accounts", "webhooks", "scheduling", "meetings")  # from the ground up
MOUNT_EVERYTHING = {Path("config/urls.py"), Path("config/api/urls.py")}
SOURCES = sorted(
    {path.relative_to(ROOT) for floor in FLOORS for path in (ROOT / floor).rglob("*.py")}
    - MOUNT_EVERYTHING
)


def imported_modules(source: str, path: Path) -> Iterator[tuple[int, str]]:
    """The line and the absolute name of all that the source imports, wherever it does so."""
    package = path.parent.parts
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *([node.module] if node.module else []))
            yield from ((node.lineno, ".".join((*module, alias.name))) for alias in node.names)


def upward_imports(source: str, path: Path) -> list[str]:
    own = FLOORS.index(path.parts[0])
    return [
        f"{path}:{line} imports {name}"
        for line, name in imported_modules(source, path)
        if (top := name.split(".")[0]) in FLOORS and FLOORS.index(top) > own
    ]


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_imports_run_down(path: Path) -> None:
    assert upward_imports((ROOT / path).read_text(), path) == []


def test_an_import_that_runs_up_is_seen_wherever_it_stands() -> None:
    source = """
import json, meetings.models
from accounts.models import User
from scheduling import services
from . import views
from ..errors import DomainError
from ...meetings import links

if TYPE_CHECKING:
    from webhooks.publishing import publish

def later():
    import scheduling.slots as slots

TASK = "meetings.tasks.sweep_meetings"
"""
    assert upward_imports(source, Path("accounts/api/views.py")) == [
        "accounts/api/views.py:2 imports meetings.models",
        "accounts/api/views.py:4 imports scheduling.services",
        "accounts/api/views.py:7 imports meetings.links",
        "accounts/api/views.py:10 imports webhooks.publishing.publish",
        "accounts/api/views.py:13 imports scheduling.slots",
    ]
