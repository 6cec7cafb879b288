"""The part of granian's RSGI that Parley uses."""

from collections.abc import Awaitable
from typing import Protocol

Headers = list[tuple[str, str]]


class HTTPProtocol(Protocol):
    """A request whose body can be read once, and that is answered once, from any thread."""

    def __aiter__(self) -> "HTTPProtocol": ...

    def __anext__(self) -> Awaitable[bytes]:
        """Give the next piece of the body, or an empty one at its end."""

    def client_disconnect(self) -> Awaitable[None]: ...

    def response_bytes(self, status: int, headers: Headers, body: bytes, /) -> None: ...

    def response_file(self, status: int, headers: Headers, path: str, /) -> None: ...
