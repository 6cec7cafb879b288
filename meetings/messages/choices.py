"""Messages about meetings that people can switch off.

Emails that ask for an answer and the first confirmation are not among them.
"""

from django.utils.translation import gettext_lazy as _

from notifications.domain import choices
from notifications.domain.choices import Channel, Choice

_GROUP = _("Meetings with teammates")


def _both(label: str) -> dict[Channel, list[str]]:
    return {Channel.EMAIL: [f"meeting_{label}"], Channel.PUSH: [f"meeting-{label}"]}


choices.register(
    [
        Choice(
            "meeting_new",
            _GROUP,
            _("New request"),
            {Channel.PUSH: ["meeting-created"]},
            [Channel.EMAIL],
        ),
        Choice(
            "meeting_confirmed",
            _GROUP,
            _("Confirmed"),
            {Channel.PUSH: ["meeting-confirmed"]},
            [Channel.EMAIL],
        ),
        Choice("meeting_rejected", _GROUP, _("Declined"), _both("rejected")),
        Choice("meeting_cancelled", _GROUP, _("Cancelled"), _both("cancelled")),
        Choice("meeting_reminder", _GROUP, _("Reminder before it starts"), _both("reminder")),
        Choice(
            "meeting_unanswered", _GROUP, _("Reminder to answer a request"), _both("unanswered")
        ),
        Choice("meeting_expired", _GROUP, _("Request expired"), _both("expired")),
        Choice(
            "meeting_completed", _GROUP, _("Has taken place"), {Channel.PUSH: ["meeting-completed"]}
        ),
    ]
)
