"""Small part of Markdown, for texts that anybody reads: emphasis, links and lists.

HTML in a text is shown as it was typed, and so is a link to anything but http, https and mailto.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_SCHEMES = ("http://", "https://", "mailto:")
# Lists within each other. What lies deeper is left out.
_DEEPEST = 20
_RULES = ("emphasis", "escape", "linkify", "link", "list", "newline")
# Texts that a process keeps: many people read the same page.
_KEPT = 512


def _link_open(
    renderer: RendererHTML, tokens: Sequence[Token], place: int, options: OptionsDict, env: EnvType
) -> str:
    """Write the start of a link. A search engine shall not follow it, nor its target know of us."""
    href = tokens[place].attrGet("href")
    tokens[place].attrs = {"href": href or "", "rel": "nofollow noopener noreferrer"}
    return renderer.renderToken(tokens, place, options, env)


def _parser() -> MarkdownIt:
    options = {"html": False, "linkify": True, "breaks": True, "maxNesting": _DEEPEST}
    parser = MarkdownIt("zero", options).enable(_RULES)
    parser.validateLink = _is_allowed  # type: ignore[method-assign]  # so the library has it
    parser.add_render_rule("link_open", _link_open)
    linkify: Any = parser.linkify
    linkify.set({"fuzzy_link": False})  # else a file such as `readme.md` becomes a link
    return parser


def _is_allowed(url: str) -> bool:
    return url.strip().lower().startswith(_SCHEMES)


_PARSER = _parser()


@lru_cache(maxsize=_KEPT)
def html_of(text: str) -> SafeString:
    """Return the text as HTML: paragraphs, lists, emphasis, links and line breaks alone."""
    html: str = _PARSER.render(text)
    return mark_safe(html)  # noqa: S308  # the parser escapes everything else


@lru_cache(maxsize=_KEPT)
def plain_of(text: str) -> str:
    """Return the words of the text, a paragraph or an item a line."""
    blocks = (token.children or [] for token in _PARSER.parse(text) if token.type == "inline")
    return "\n".join("".join(_word(each) for each in children) for children in blocks)


def _word(token: Token) -> str:
    return "\n" if token.type in ("softbreak", "hardbreak") else token.content
