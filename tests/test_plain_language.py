"""Rules for the prose in the code: docstrings and comments are plain enough for everybody."""

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PLACES = (
    "accounts",
    "benchmarks",
    "calendars",
    "config",
    "core",
    "meetings",
    "notifications",
    "scheduling",
    "tests",
    "webhooks",
)
SOURCES = sorted(
    path.relative_to(ROOT)
    for place in PLACES
    for path in (ROOT / place).rglob("*.py")
    if "migrations" not in path.parts and path.name != Path(__file__).name
)
# A docstring opens with an imperative or with a noun that names the thing.
OPENINGS = re.compile(
    r"(what|whoever|whomever|whose|whom|those|of|as|with|without|or|but|whether|how|if|where|when"
    r"|and|nor|by|in|on|to|from|for|so|such|is|are|that|which|who|it|they|here)\b",
    re.IGNORECASE,
)
BANNED = re.compile(
    r"\b(whoever|whomever|that is none|but for|of ours|comes? of|came of|goes by|(?:is|are) told"
    r"|as it is|has it that)\b",
    re.IGNORECASE,
)


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of every docstring."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                first = node.body[0]
                yield first.lineno, text


def comments(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of every comment."""
    with path.open("rb") as lines:
        for token in tokenize.tokenize(lines.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string.lstrip("# ")


@pytest.mark.look
@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_prose_is_plain(path: Path) -> None:
    source = (ROOT / path).read_text()
    found = list(docstrings(source))
    opened = [
        f"{path}:{line} opens with {text.split()[0]}"
        for line, text in found
        if path.parts[0] != "tests" and OPENINGS.match(text)
    ]
    said = [
        f"{path}:{line} says {word[0]}"
        for line, text in [*found, *comments(ROOT / path)]
        if (word := BANNED.search(" ".join(text.split())))
    ]
    assert opened + said == []
