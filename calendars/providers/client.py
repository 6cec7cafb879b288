"""HTTP requests to a calendar server. Each goes through the guard, redirects included."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from calendars.providers.base import ProviderError
from core.web import guarded_http

MOST_BYTES = 20_000_000
_MOST_REDIRECTS = 5
_CODES = {
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    409: "conflict",
    410: "not_found",
    412: "conflict",
    413: "too_large",
}


@dataclass(frozen=True)
class Reply:
    """An answer, and the URL that gave it in the end."""

    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def error(self) -> ProviderError:
        """Return the error that the status stands for, in an answer that is no success."""
        if self.status < 400:
            return ProviderError("invalid_answer")
        return ProviderError(_CODES.get(self.status, f"http_{self.status}"))


class Client:
    """Requests with the same headers, until one deadline."""

    def __init__(
        self, headers: Mapping[str, str], *, until: float, policy: guarded_http.Policy
    ) -> None:
        self._headers = headers
        self._until = until
        self._policy = policy

    def ask(self, method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str]) -> Reply:
        """Send a request, follow at most five redirects, and return the last answer.

        The guard refuses a redirect to plain http, and any private address, unless the policy
        allows that network. So the password leaves only by https or to such a network.
        """
        for _turn in range(_MOST_REDIRECTS + 1):
            answer = self._fetch(method, url, body, headers)
            location = answer.headers.get("location")
            if answer.status not in (301, 302, 303, 307, 308) or location is None:
                return Reply(url, answer.status, answer.headers, answer.body)
            if answer.status == 303 and method != "GET":  # the answer is elsewhere: it is no page
                break
            url = _joined(url, location)
        raise ProviderError("invalid_answer")

    def _fetch(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> guarded_http.Answer:
        try:
            return guarded_http.fetch(
                method,
                url,
                body=body,
                headers={**self._headers, **headers},
                until=self._until,
                policy=self._policy,
                most=MOST_BYTES,
            )
        except guarded_http.SendError as error:
            raise ProviderError(error.code) from None
        except ValueError:  # a header of the server, given back to it, that cannot be sent
            raise ProviderError("invalid_answer") from None


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise ProviderError("invalid_answer") from None
