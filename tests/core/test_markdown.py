"""Small part of Markdown: what becomes HTML, what stays text, and hostile texts."""

import time
from html.parser import HTMLParser

import pytest

from core.text.markdown import html_of, plain_of

REL = 'rel="nofollow noopener noreferrer"'
LONGEST = 5000


@pytest.mark.parametrize(
    ("text", "html", "plain"),
    [
        ("One\ntwo\n\nthree", "<p>One<br>\ntwo</p>\n<p>three</p>\n", "One\ntwo\nthree"),
        (
            "**Bold** and *soft*",
            "<p><strong>Bold</strong> and <em>soft</em></p>\n",
            "Bold and soft",
        ),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>\n", "a\nb"),
        ("1. a\n2. b", "<ol>\n<li>a</li>\n<li>b</li>\n</ol>\n", "a\nb"),
        (
            '[Map](https://example.com/a?b=1&c=2 "t")',
            f'<p><a href="https://example.com/a?b=1&amp;c=2" {REL}>Map</a></p>\n',
            "Map",
        ),
        (
            "See https://example.com/a.",
            f'<p>See <a href="https://example.com/a" {REL}>https://example.com/a</a>.</p>\n',
            "See https://example.com/a.",
        ),
        (
            "Ask me@example.com",
            f'<p>Ask <a href="mailto:me@example.com" {REL}>me@example.com</a></p>\n',
            "Ask me@example.com",
        ),
        ("readme.md", "<p>readme.md</p>\n", "readme.md"),
        (r"2 \* 3", "<p>2 * 3</p>\n", "2 * 3"),
        ("# no `code` > no", "<p># no `code` &gt; no</p>\n", "# no `code` > no"),
        ("", "", ""),
    ],
)
def test_emphasis_links_lists_and_line_breaks(text: str, html: str, plain: str) -> None:
    assert (html_of(text), plain_of(text)) == (html, plain)


class Elements(HTMLParser):
    """Collects the elements of a text, and fails on an attribute of another kind."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        given = dict(attrs)
        if tag == "a":
            href = given.pop("href") or ""
            assert href.startswith(("http://", "https://", "mailto:"))
            assert given.pop("rel") == "nofollow noopener noreferrer"
        elif tag == "ol":
            given.pop("start", None)
        assert given == {}


ALLOWED = {"p", "br", "strong", "em", "a", "ul", "ol", "li"}


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        '<img src=x onerror="alert(1)">',
        "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](JavaScript:alert(1))",
        "[x](java\nscript:alert(1))",
        "[x](&#106;avascript:alert(1))",
        "[x](\x01javascript:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](/accounts/logout/)",
        "[x](//evil.example)",
        '[x](https://a.example" onclick="alert(1))',
        "[x](https://a.example/<script>)",
        "![x](https://a.example/pixel.png)",
        "[x]: javascript:alert(1)\n\n[x]",
        "<https://a.example/>",
        "**[*x*](https://a.example)**",
        "[[x](https://a.example)](https://b.example)",
    ],
)
def test_hostile_texts_become_nothing_else(text: str) -> None:
    seen = Elements()
    seen.feed(html_of(text))
    seen.close()
    assert seen.found <= ALLOWED


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "[[](",
        "[a](",
        "![",
        "]",
        "*",
        "*a ",
        "**a",
        "_*",
        "- ",
        "- [",
        "1. ",
        "\\",
        "a@",
        "-\n",
        "https://",
        "a@a.co ",
        "(https://a.b/(",
        "  - a\n",
        "<",
        "&",
    ],
)
def test_the_longest_text_costs_a_bounded_time(unit: str) -> None:
    """The worst takes half a second here; what grew by the cube would take minutes."""
    text = (unit * LONGEST)[:LONGEST]
    began = time.process_time()
    html, _plain = html_of(text), plain_of(text)
    assert time.process_time() - began < 20
    assert len(html) < 20 * LONGEST
