"""Devices that receive push messages."""

from notifications.models import PushDevice


def deactivate(*, digest: str) -> None:
    """Stop sending to a device. Its owner makes it active again by registering it again."""
    PushDevice.objects.filter(digest=digest).update(is_active=False)
