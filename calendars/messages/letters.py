"""Texts of the messages about calendars, written when they are sent."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils import translation

from accounts.models import User
from calendars.domain.problems import REFUSED, in_words
from calendars.models import Calendar, CalendarAccount
from core.text import times, zones
from notifications.domain import kinds, notifications
from notifications.domain.kinds import Facts, Message, Untrue


class AccountWriter(kinds.Writer):
    """Writes to the owner of an account whether it can be read."""

    def find(self, ids: Collection[int]) -> Mapping[int, CalendarAccount]:
        return CalendarAccount.objects.select_related("user").in_bulk(ids)

    def check(self, kind: str, found: CalendarAccount, facts: Facts, *, now: datetime) -> None:
        is_ok = found.state == CalendarAccount.State.OK
        if found.is_ending or is_ok is (kind == "calendar_failing"):
            raise Untrue("changed")

    def write(self, kind: str, found: CalendarAccount, facts: Facts, *, now: datetime) -> Message:
        context: dict[str, Any] = {"account": found}
        if kind == "calendar_failing":
            since = datetime.fromisoformat(facts["since"])
            context["since"] = _when(since, found.user)
            context["as_of"] = _when(found.read_at, found.user) if found.read_at else ""
            context["is_refused"] = facts["state"] == CalendarAccount.State.REVOKED
        return _mail(kind, found.user, context, facts)


class CalendarWriter(kinds.Writer):
    """Writes to the owner of a calendar that takes no bookings, or has lost many entries."""

    def find(self, ids: Collection[int]) -> Mapping[int, Calendar]:
        return Calendar.objects.select_related("account__user").in_bulk(ids)

    def check(self, kind: str, found: Calendar, facts: Facts, *, now: datetime) -> None:
        is_over = kind == "calendar_not_written" and not found.write_error
        if found.account.is_ending or is_over:
            raise Untrue("changed")

    def write(self, kind: str, found: Calendar, facts: Facts, *, now: datetime) -> Message:
        context: dict[str, Any] = {"calendar": found, "account": found.account}
        if kind == "calendar_emptied":
            context["gone"] = facts["gone"]
        else:
            context["is_refused"] = facts["error"] in REFUSED
        return _mail(kind, found.account.user, context, facts)


def _when(moment: datetime, person: User) -> str:
    with translation.override(person.mail_language):
        return f"{times.beginning(moment, person)} ({zones.in_words(person.zone)})"


def _mail(kind: str, person: User, context: dict[str, Any], facts: Facts) -> Message:
    with translation.override(person.mail_language):
        context["problem"] = in_words(facts["error"]) if "error" in facts else ""
    context["person"] = person
    context["calendars_url"] = f"{settings.PUBLIC_URL}/settings/calendars"
    content = notifications.render_email(kind, context, language=person.mail_language)
    return Message(person.email, content)


kinds.register(["calendar_failing", "calendar_recovered"], AccountWriter())
kinds.register(["calendar_not_written", "calendar_emptied"], CalendarWriter())
