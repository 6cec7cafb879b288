"""Addresses of calendars and their objects, in one spelling.

Servers write an href as a path or as a whole URL, and percent-encode it as they like: Radicale has
`a%40b.ics` where xandikos has `a@b.ics`. Here it is a whole URL without query and fragment, in
which everything is encoded except unreserved characters.
"""

import re
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

from calendars.providers.base import ProviderError

_USUAL_PORTS = {"https": 443, "http": 80}
_PLAIN_UID = re.compile(r"[A-Za-z0-9][A-Za-z0-9@._-]{0,199}")


def canonical(href: str, *, base: str = "") -> str:
    """Return the URL of an href found at `base`. ProviderError(`invalid_answer`) if it is none."""
    try:
        parts = urlsplit(urljoin(base, href.strip()))
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError:
        raise ProviderError("invalid_answer") from None
    steps = [quote(unquote_to_bytes(each), safe="") for each in parts.path.split("/")]
    if scheme not in _USUAL_PORTS or not host or {".", ".."} & {*steps}:
        raise ProviderError("invalid_answer")
    host = f"[{host}]" if ":" in host else host
    origin = host if port in (None, _USUAL_PORTS[scheme]) else f"{host}:{port}"
    return f"{scheme}://{origin}{'/'.join(steps) or '/'}"


def collection(href: str, *, base: str = "") -> str:
    """Return the URL of a collection, which ends with a slash."""
    return canonical(href, base=base).rstrip("/") + "/"


def path_of(url: str) -> str:
    """Return the path of a canonical URL, as it stands in the body of a request."""
    return urlsplit(url).path


def file_name(uid: str) -> str:
    """Return the name of the file for an object: its UID, or a digest of an odd one."""
    stem = uid if _PLAIN_UID.fullmatch(uid) else sha256(uid.encode()).hexdigest()
    return f"{stem}.ics"


@dataclass(frozen=True)
class Place:
    """A collection by the URL that is known, and the one that answers for it.

    They differ where the server redirects. Its members keep their known URLs, so a calendar that
    moves loses no entry.
    """

    known: str
    answers: str

    def known_href(self, href: str) -> str | None:
        """Return the known URL of an href that the server wrote.

        It is the collection itself for itself, and None for what is not in it. Scheme and host do
        not count: servers behind a proxy often name their own.
        """
        try:
            path = path_of(canonical(href, base=self.answers))
        except ProviderError:
            return None
        root = path_of(self.answers)
        if f"{path}/" == root:
            return self.known
        return self.known + path.removeprefix(root) if path.startswith(root) else None

    def asked_path(self, href: str) -> str:
        """Return the path by which the server knows a member of a known URL."""
        return path_of(self.answers) + href.removeprefix(self.known)
