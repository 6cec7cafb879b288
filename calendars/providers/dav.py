"""Requests of WebDAV: PROPFIND and REPORT, and their multistatus answers."""

import base64

from calendars.providers.base import ProviderError
from calendars.providers.client import Client, Reply
from calendars.providers.dav_xml import Multistatus, read_multistatus
from core.web.guarded_http import Policy


class DavClient(Client):
    """Requests of one person to a WebDAV server."""

    def __init__(self, username: str, password: str, *, until: float, policy: Policy) -> None:
        credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
        super().__init__({"Authorization": f"Basic {credentials}"}, until=until, policy=policy)

    def propfind(self, url: str, properties: str, *, depth: int) -> tuple[str, Multistatus]:
        """Ask for these properties. Return the URL that answered, and its answer."""
        body = f"<d:propfind {NAMESPACES}><d:prop>{properties}</d:prop></d:propfind>"
        reply = self._send("PROPFIND", url, body, depth)
        return reply.url, multistatus_of(reply)

    def report(self, url: str, body: str, *, depth: int = 0) -> Reply:
        return self._send("REPORT", url, body, depth)

    def _send(self, method: str, url: str, body: str, depth: int) -> Reply:
        document = f'<?xml version="1.0" encoding="utf-8"?>{body}'.encode()
        headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": str(depth)}
        return self.ask(method, url, body=document, headers=headers)


NAMESPACES = (
    'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:a="http://apple.com/ns/ical/"'
)


def multistatus_of(reply: Reply) -> Multistatus:
    """Read the answer to a PROPFIND or a REPORT. ProviderError if it is an error or no multistatus.

    A server that does not know the method is no calendar server.
    """
    if reply.status in (405, 501):
        raise ProviderError("not_a_calendar")
    if reply.status not in (200, 207):
        raise reply.error
    return read_multistatus(reply.body)
