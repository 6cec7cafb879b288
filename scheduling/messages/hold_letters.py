"""Text of the email whose link books what is held."""

from collections.abc import Collection, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from core.text import times
from notifications.domain import kinds, notifications
from notifications.domain.kinds import Facts, Message, Untrue
from scheduling.domain import holds
from scheduling.messages.parties import Party
from scheduling.models import Hold
from scheduling.models.enums import Role


class HoldWriter(kinds.Writer):
    """Writes to an address that nobody has confirmed: it repeats nothing that was typed."""

    def find(self, ids: Collection[int]) -> Mapping[int, Hold]:
        return Hold.objects.select_related("event_type", "host").in_bulk(ids)

    def check(self, kind: str, found: Hold, facts: Facts, *, now: datetime) -> None:
        if not found.is_open(now):
            raise Untrue("expired")

    def write(self, kind: str, found: Hold, facts: Facts, *, now: datetime) -> Message:
        reader = invitee_of(found)
        with translation.override(reader.language):
            context = {
                "what": found.event_type.name,
                "name": found.host.name,
                "event_type": found.event_type,
                "when": times.beginning(found.start, reader),
                "local_time": times.span(found.start, found.end, reader),
                "until": times.deadline(found.expires_at, reader),
                "confirm_url": settings.PUBLIC_URL
                + reverse("scheduling:confirm_hold", args=[facts["token"]]),
            }
            content = notifications.render_email(kind, context, language=reader.language)
        return Message(reader.email, content)


def invitee_of(hold: Hold) -> Party:
    """Return the invitee of an open hold as a reader."""
    invitee = holds.said(hold)["invitee"]
    language = invitee.language or hold.host.mail_language
    date_format, _format = times.formats_of(language, ("yyyy-MM-dd", invitee.time_format))
    return Party(
        Role.INVITEE,
        invitee.name,
        invitee.name,
        invitee.email,
        ZoneInfo(invitee.timezone),
        date_format,
        invitee.time_format,
        language,
    )


kinds.register(["hold_confirm"], HoldWriter())
