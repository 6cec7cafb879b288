from collections.abc import Mapping

from calendars.providers.base import Provider
from core.web import guarded_http


def connect(
    name: str, secret: Mapping[str, str], *, until: float, policy: guarded_http.Policy
) -> Provider:
    raise NotImplementedError
