from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class RemoteCalendar:
    href: str
    name: str
    color: str
    timezone: str
    is_writable: bool


@dataclass(frozen=True)
class RemoteItem:
    href: str
    etag: str
    uid: str
    text: str


@dataclass(frozen=True)
class Changes:
    items: Sequence[RemoteItem]
    gone: Sequence[str]
    token: str
    is_full: bool
    same: Collection[str]
    unreadable: int


@dataclass(frozen=True)
class Known:
    token: str
    etags: Mapping[str, str]


class ProviderError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Provider(Protocol):
    def calendars(self) -> list[RemoteCalendar]: ...
    def changes(self, href: str, known: Known) -> Changes: ...
    def find(self, calendar: str, uid: str) -> RemoteItem | None: ...
    def put(self, href: str, text: str, *, etag: str) -> str: ...
    def delete(self, href: str, *, etag: str) -> None: ...
    def href_for(self, calendar: str, uid: str) -> str: ...
