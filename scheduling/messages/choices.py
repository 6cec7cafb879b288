"""Messages about bookings that hosts can switch off.

Requests to approve, the first confirmation and word of an address that refuses emails are not among
them.
"""

from django.utils.translation import gettext_lazy as _

from notifications.domain import choices
from notifications.domain.choices import Channel, Choice

_GROUP = _("Bookings with you")


def _both(label: str) -> dict[Channel, list[str]]:
    return {Channel.EMAIL: [f"booking_{label}"], Channel.PUSH: [f"booking-{label}"]}


choices.register(
    [
        Choice(
            "booking_new",
            _GROUP,
            _("New booking"),
            {Channel.PUSH: ["booking-created"]},
            [Channel.EMAIL],
        ),
        Choice(
            "booking_rescheduled",
            _GROUP,
            _("Rescheduled, or link changed"),
            {
                Channel.EMAIL: ["booking_rescheduled", "booking_linked"],
                Channel.PUSH: ["booking-rescheduled"],
            },
        ),
        Choice("booking_cancelled", _GROUP, _("Cancelled"), _both("cancelled")),
        Choice("booking_reminder", _GROUP, _("Reminder before it starts"), _both("reminder")),
        Choice(
            "booking_unanswered", _GROUP, _("Reminder to answer a request"), _both("unanswered")
        ),
        Choice(
            "booking_expired", _GROUP, _("Request expired"), {Channel.EMAIL: ["booking_expired"]}
        ),
    ]
)
