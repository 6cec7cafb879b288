"""Visitor with a browser, and the complaints that a browser must not have.

Screenshots of the pages on the way go to `screenshots/`.
"""

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings
from playwright.sync_api import ConsoleMessage, Error, Locator, Page, Request, ViewportSize

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
# A small phone, or a window of 640 pixels at a zoom of 200 %.
NARROW: ViewportSize = {"width": 320, "height": 640}
Scheme = Literal["light", "dark"]

# In which scheme axe looks at a size: each state is looked at once in the light, once in the dark.
SCHEMES: dict[str, Scheme] = {"desk": "light", "phone": "dark"}

# WCAG 2.2 at level AA, and what axe holds to be good practice beyond it.
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_RULES = (*WCAG, "best-practice")

# Each element of the page: what it is and what holds it. Texts and addresses count as there or not,
# and numbers are alike, so that rows are of one kind however many there are and whatever they say.
_ELEMENTS = """
() => {
    const FREE = /^(alt|aria-label|content|data-.*|datetime|dir|href|lang|src|title|value)$/;
    const kinds = new Set();
    const attribute = ({ name, value }) =>
        FREE.test(name) ? `${name}=${value !== ""}` : `${name}=${value.replace(/\\d+/g, "0")}`;
    const gather = (element, holder) => {
        const attributes = [...element.attributes].map(attribute).sort();
        const isText = [...element.childNodes].some(
            (node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
        const kind = `${holder}<${[element.localName, ...attributes].join(" ")}>`;
        kinds.add(`${kind} ${isText}`);
        for (const child of element.children) gather(child, kind);
    };
    gather(document.documentElement, "");
    return [...kinds];
}
"""

# Nothing sticks out at the side.
_FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"

# Controls that are visible now. On a phone the rail of the settings is a page of its own.
_CONTROLS = """
() => [...document.querySelectorAll("main :is(a, button, input, select, summary, textarea)")]
    .filter((control) => !control.closest(".settings-groups, .settings-back"))
    .filter((control) => control.checkVisibility({ visibilityProperty: true }))
    .map((control) => `${control.localName} ${control.name ?? ""} ${control.textContent.trim()}`)
"""


def faults_of(page: Page, rules: Sequence[str] = _RULES) -> list[str]:
    """Return the breaches of these sets of rules that axe finds on a page."""
    # Evaluated by the debugger: the page's own policy lets no foreign script in.
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    options = {
        "runOnly": {"type": "tag", "values": rules},
        "resultTypes": ["violations"],
        "preload": False,  # else axe writes style sheets into the page, which its policy refuses
    }
    violations: list[dict[str, Any]] = page.evaluate(
        "async (options) => (await axe.run(options)).violations", options
    )
    return [
        f"{violation['id']}: {violation['help']}\n  {node['html']}\n  {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
    ]


@dataclass
class Visitor:
    page: Page
    host: str
    size: str
    scheme: Scheme
    seen: Path  # where a run keeps what axe has looked at
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", self._error)
        self.page.on("request", self._request)

    def bring(self, session: str) -> None:
        """Sign the browser in with this session key."""
        site = f"http://{self.host}/"
        self.page.context.add_cookies([{"name": "sessionid", "value": session, "url": site}])

    def leave(self) -> None:
        """Prepare the browser for the next visitor. Only its cache of files remains."""
        context = self.page.context
        self.page.goto("about:blank")
        for routed in (self.page, context):
            routed.unroute_all(behavior="ignoreErrors")
        self.page.remove_listener("console", self._console)
        self.page.remove_listener("pageerror", self._error)
        self.page.remove_listener("request", self._request)
        context.clear_cookies()
        context.clear_permissions()
        self.page.emulate_media(color_scheme=self.scheme, forced_colors="none")

    def _error(self, error: Error) -> None:
        self.complaints.append(str(error))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)

    def _request(self, request: Request) -> None:
        if urlsplit(request.url).netloc != self.host:
            self.complaints.append(f"request to {request.url}")

    def look(self, name: str, *, checked: bool = True) -> None:
        """Take screenshots in the desk and phone sizes, and check the page.

        No part may stick out at the side, on a narrow screen either, or break an accessibility
        rule. Both sizes must offer the same controls.
        """
        folder = settings.BASE_DIR / "screenshots"
        self.page.set_viewport_size(NARROW)
        assert self.page.evaluate(_FITS), (name, "narrow")
        controls = {}
        for size in sorted(SIZES, key=lambda size: size == self.size):
            self.page.set_viewport_size(SIZES[size])
            self.page.screenshot(path=folder / f"{name}-{size}.png", full_page=True)
            assert self.page.evaluate(_FITS), (name, size)
            controls[size] = self.page.evaluate(_CONTROLS)
            if checked:
                self.check(name, size)
        assert controls["desk"] == controls["phone"], name

    def looks(self, pages: Mapping[str, str]) -> None:
        """Open each of these pages and call `look` with its name."""
        for name, address in pages.items():
            self.page.goto(address)
            self.look(name)

    def refused(self, status: int) -> None:
        """Expect the browser's own complaint about this error status, and clear it."""
        (complaint,) = self.complaints
        assert str(status) in complaint
        self.complaints.clear()

    def unfold(self) -> None:
        """Open everything on the page that unfolds."""
        self.page.locator("main details").evaluate_all("all => all.forEach((o) => (o.open = true))")

    def check(self, name: str, size: str) -> None:
        """Fail on faults that axe finds, with `LOOKS=full` in forced colours too.

        Skip pages whose elements were all checked in this scheme.
        """
        scheme = SCHEMES[size]
        if not self._is_new(scheme):
            return
        self.page.emulate_media(color_scheme=scheme)
        found = faults_of(self.page)
        if os.environ.get("LOOKS") == "full":
            self.page.emulate_media(forced_colors="active")
            found += faults_of(self.page)
            self.page.emulate_media(forced_colors="none")
        self.page.emulate_media(color_scheme=self.scheme)
        assert not found, "\n".join([f"what axe finds on {name}, {size}, {scheme}:", *found])

    def _is_new(self, scheme: Scheme) -> bool:
        """Tell whether an element is new, and note all of them."""
        new = 0
        for kind in self.page.evaluate(_ELEMENTS):
            with suppress(FileExistsError):
                (self.seen / sha256(f"{scheme} {kind}".encode()).hexdigest()).touch(exist_ok=False)
                new += 1
        return new > 0

    def sign_in(self, person: User, password: str = factories.PASSWORD) -> None:
        self.page.get_by_label("Email").fill(person.email)
        self.page.get_by_label("Password", exact=True).fill(password)
        self.page.get_by_role("main").get_by_role("button", name="Sign in").click()

    def tab_to(self, wanted: Locator) -> None:
        """Move the focus to this control with the Tab key only."""
        for _ in range(50):
            self.page.keyboard.press("Tab")
            if wanted.evaluate("wanted => wanted === document.activeElement"):
                return
        raise AssertionError(f"no way by Tab to {wanted}")


Visit = Callable[..., Visitor]
Enter = Callable[..., Visitor]
