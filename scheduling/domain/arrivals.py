"""The first event type of a new person. See `core.people.arrivals`."""

from datetime import datetime

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.domain.services import lock
from scheduling.domain import services
from scheduling.models import WeeklyAvailability
from scheduling.models.enums import Location

_MINUTES = 30


def arrive(*, person_id: int, now: datetime) -> None:
    """Create half an hour online, named in the person's language, unless they offer something."""
    host = lock(person_id)
    has_hours = WeeklyAvailability.objects.filter(user=host).exists()  # imported people have none
    if host.event_types.exists() or not has_hours:
        return
    with translation.override(host.mail_language):
        services.create_event_type(
            host=host,
            name=_("30-minute meeting"),
            duration=_MINUTES,
            location=Location.CUSTOM,
            location_custom=_("Online"),
            timezone=host.weekly_availability.timezone,
        )
