"""Rules for the HTML of every page: Content-Security-Policy and accessibility."""

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise


def broken_rules(html: str, language: str = "en") -> list[str]:
    """Return the faults of a page as texts. An empty list means no fault."""
    return list(_Rules(html).broken(language))


class _Rules(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self._html = html
        self._broken: list[str] = []
        self._ids: list[str] = []
        self._headings: list[int] = []
        self._tags: list[str] = []
        self._labelled: set[str] = set()
        self._controls: list[tuple[str, str]] = []  # id and tag of those that a label must name
        self._references: list[str] = []
        self._open_script = False
        self._labels = 0
        self.feed(html)
        self.close()

    def broken(self, language: str) -> Iterator[str]:
        yield from self._broken
        yield from (f"id twice: {name}" for name, times in Counter(self._ids).items() if times > 1)
        yield from (
            f"unlabelled: {tag}" for id_, tag in self._controls if id_ not in self._labelled
        )
        yield from (f"no such id: {name}" for name in self._references if name not in self._ids)
        if self._headings.count(1) != 1:
            yield "not one h1"
        if any(deeper > above + 1 for above, deeper in pairwise([0, *self._headings])):
            yield "a heading is left out"
        if (
            self._tags.count("main") != 1
            or self._html.count('<a class="skip" href="#content">') != 1
        ):
            yield "no main part to skip to"
        if f'<html lang="{language}">' not in self._html:
            yield "not in its language"
        if not re.search(r"<title>\s*[^\s·].*?· Parley</title>", self._html, re.DOTALL):
            yield "no title"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values, text = {name: value or "" for name, value in attrs}, self.get_starttag_text() or tag
        self._tags.append(tag)
        self._open_script = tag == "script" and values.get("type") != "application/json"
        if "style" in values or any(name.startswith("on") for name in values):
            self._broken.append(text)
        addresses = [values.get("src", ""), values.get("srcset", ""), values.get("poster", "")]
        if tag == "link":
            addresses.append(values.get("href", ""))
        for address in filter(None, addresses):
            if not re.match("/(?!/)|data:image/", address):
                self._broken.append(text)
        if values.get("href", "").lower().startswith("javascript:"):
            self._broken.append(text)
        if tag in ("style", "iframe", "object", "embed", "base") or (
            tag == "img" and "alt" not in values
        ):
            self._broken.append(text)
        if "id" in values:
            self._ids.append(values["id"])
        if re.fullmatch("h[1-6]", tag):
            self._headings.append(int(tag[1]))
        for name in ("aria-labelledby", "aria-describedby", "aria-controls", "for", "list"):
            self._references.extend(values.get(name, "").split())
        if tag == "label":
            self._labels += 1
            self._labelled.add(values.get("for", ""))
        is_typed = tag in ("select", "textarea") or (
            tag == "input" and values.get("type") not in ("hidden", "submit", "button")
        )
        if is_typed and not (self._labels or {"aria-label", "aria-labelledby"} & set(values)):
            self._controls.append((values.get("id", text), text))

    def handle_data(self, data: str) -> None:
        if self._open_script and data.strip():
            self._broken.append(f"script {data.strip()[:40]}")

    def handle_endtag(self, tag: str) -> None:
        self._open_script = False
        if tag == "label":
            self._labels -= 1
