"""Devices that receive push messages."""

from collections import defaultdict
from collections.abc import Collection

from notifications.models import PushDevice


def deactivate(*, digest: str) -> None:
    """Stop sending to a device. Its owner makes it active again by registering it again."""
    PushDevice.objects.filter(digest=digest).update(is_active=False)


def active_of(people: Collection[int]) -> dict[int, list[str]]:
    """Return the digests of the active devices of these people, by their number."""
    found = defaultdict(list)
    rows = PushDevice.objects.filter(user__in=people, is_active=True).order_by("pk")
    for person, digest in rows.values_list("user", "digest"):
        found[person].append(digest)
    return found


def token_of(*, person_id: int | None, digest: str) -> str | None:
    """Return the registration token of an active device of this person. None without such a one."""
    device = PushDevice.objects.filter(user=person_id, digest=digest, is_active=True).first()
    return device.token if device else None
