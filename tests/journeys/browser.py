"""Somebody with a browser, and what must not happen in it.

What the pages look like along the way lands in `screenshots/`.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, ViewportSize

from accounts.models import User
from tests import factories

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES: dict[str, ViewportSize] = {
    "desk": {"width": 1280, "height": 800},
    "phone": {"width": 390, "height": 844},
}

Scheme = Literal["light", "dark"]

# WCAG 2.2 at level AA, and what axe holds to be good practice beyond it.
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
_OPTIONS = {"runOnly": {"type": "tag", "values": _RULES}, "resultTypes": ["violations"]}


@dataclass
class Visitor:
    page: Page
    host: str
    size: str
    scheme: Scheme
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self.host:
            self.complaints.append(f"request to {request.url}")

    def look(self, name: str, *, checked: bool = True) -> None:
        """Keep what is seen; nothing may stick out at the side, nor shut anybody out."""
        folder = settings.BASE_DIR / "screenshots"
        self.page.screenshot(path=folder / f"{name}-{self.size}.png", full_page=True)
        root = "document.documentElement"
        assert self.page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), name
        if checked:
            self.check(name)

    def looks(self, pages: Mapping[str, str]) -> None:
        """At each of these pages, by its name."""
        for name, address in pages.items():
            self.page.goto(address)
            self.look(name)

    def refused(self, status: int) -> None:
        """The browser itself notes that what came was no page of success."""
        (complaint,) = self.complaints
        assert str(status) in complaint
        self.complaints.clear()

    def unfold(self) -> None:
        """Everything on the page that unfolds."""
        self.page.locator("main details").evaluate_all("all => all.forEach((o) => (o.open = true))")

    def check(self, name: str) -> None:
        """What axe finds on the page as it is, in the light and in the dark: nothing."""
        found = []
        for scheme in sorted(get_args(Scheme), key=lambda scheme: scheme != self.scheme):
            self.page.emulate_media(color_scheme=scheme)
            found += [f"{scheme}: {line}" for line in self._axe()]
        self.page.emulate_media(color_scheme=self.scheme)
        assert not found, "\n".join([f"what axe finds on {name}, {self.size}:", *found])

    def _axe(self) -> list[str]:
        # Evaluated by the debugger: the page's own policy lets no foreign script in.
        if not self.page.evaluate("'axe' in window"):
            self.page.evaluate(AXE_SCRIPT)
        violations: list[dict[str, Any]] = self.page.evaluate(
            "async (options) => (await axe.run(options)).violations", _OPTIONS
        )
        return [
            f"{violation['id']}: {violation['help']}\n  {node['html']}\n  {node['failureSummary']}"
            for violation in violations
            for node in violation["nodes"]
        ]

    def sign_in(self, person: User, password: str = factories.PASSWORD) -> None:
        self.page.get_by_label("Email").fill(person.email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()

    def tab_to(self, wanted: Locator) -> None:
        """Come there by the keyboard alone."""
        for _ in range(50):
            self.page.keyboard.press("Tab")
            if wanted.evaluate("wanted => wanted === document.activeElement"):
                return
        raise AssertionError(f"no way by Tab to {wanted}")


Visit = Callable[..., Visitor]
Enter = Callable[..., Visitor]
