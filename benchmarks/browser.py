"""Browser without a screen: it keeps cookies, sends forms and follows their redirects."""

import gzip
import re
from collections.abc import Mapping
from html import unescape
from http.cookies import SimpleCookie
from urllib.parse import urlencode

from benchmarks.load import UnexpectedAnswer
from tests.torture.served import Answer, Client

_FORM = re.compile(r'<form ([^>]*method="post"[^>]*)>(.*?)</form>', re.DOTALL)
_ACTION = re.compile(r'action="([^"]*)"')
_FORM_TYPE = {"Content_Type": "application/x-www-form-urlencoded"}
_HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')


class Browser:
    """Browser that shows one page at a time. Scripts do not run, and no file of a page is asked."""

    def __init__(
        self, client: Client, address: str, cookies: Mapping[str, str] | None = None
    ) -> None:
        self._client, self._address = client, address
        self._cookies = dict(cookies or {})
        self._path = self.page = ""

    def open(self, path: str) -> None:
        self._path, self.page = path, self.fetch(path)

    def fetch(self, path: str, headers: Mapping[str, str] | None = None) -> str:
        """Return what is at this path, as a script of the page would."""
        return self._body(self._ask("GET", path, 200, headers or {}))

    def send(self, **fields: object) -> None:
        """Send the page's POST form with these and its hidden fields. Open the page after it."""
        form = _FORM.search(self.page)
        if form is None:
            raise UnexpectedAnswer(f"without a form: {self.page[:3000]}")
        attributes, inside = form.groups()
        action = _ACTION.search(attributes)
        path = unescape(action[1]) if action else self._path
        hidden = {name: unescape(value) for name, value in _HIDDEN.findall(inside)}
        body = urlencode(hidden | fields).encode()
        answer = self._ask("POST", path, 302, _FORM_TYPE, body)
        self.open(answer.headers["Location"])

    def offered(self, name: str) -> list[str]:
        """Return the values of the page's buttons of this name."""
        return re.findall(rf'<button [^>]*name="{name}" value="([^"]*)"', self.page)

    def _ask(
        self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        answer = self._client.ask(
            method,
            path,
            body,
            Accept_Encoding="gzip",
            X_Forwarded_For=self._address,
            Cookie=cookies,
            **headers,
        )
        if answer.status != status:
            raise UnexpectedAnswer(f"{answer.status}, asked {method} {path}: {self._body(answer)}")
        for line in answer.headers.get_all("Set-Cookie", []):
            self._cookies |= {name: each.value for name, each in SimpleCookie(line).items()}
        return answer

    @staticmethod
    def _body(answer: Answer) -> str:
        is_packed = answer.headers["Content-Encoding"] == "gzip"
        return (gzip.decompress(answer.body) if is_packed else answer.body).decode()
