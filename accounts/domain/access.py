"""Access that outlives a password: tokens, apps and devices (see `core.people.access`)."""

from collections.abc import Iterator
from datetime import datetime

from allauth.account.models import EmailAddress
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import Grant

from accounts.domain import applications, services
from accounts.models import User
from core.people.access import Access


def lasting(*, person_id: int, now: datetime) -> Iterator[Access]:
    person = User.objects.get(pk=person_id)
    for token in person.tokens.usable(now):
        yield Access(_("API token"), str(token), "accounts:tokens", token.created_at)
    for each in applications.connections(person=person, now=now):
        name = each.application.name
        yield Access(_("Connected app"), name, "accounts:connections", each.since)
    for device in person.devices.filter(is_active=True):
        yield Access(_("Device"), str(device), "accounts:devices", device.created_at)
    # They are ways in as well, but to end them all would shut out their owner.
    for address in EmailAddress.objects.filter(user=person).order_by("-primary", "email"):
        yield Access(_("Email address"), address.email, "account_email", is_ended=False)


def end(*, person_id: int, now: datetime) -> None:
    person = services.lock(person_id)
    for token in person.tokens.usable(now):
        services.revoke_token(token=token, actor=person, now=now)
    for each in applications.connections(person=person, now=now):
        applications.disconnect(person=person, application_id=each.application.pk, now=now)
    drop_codes(person)
    person.devices.all().delete()


def drop_codes(person: User) -> None:
    """Forget the codes that applications have not yet made tokens of; the person is locked."""
    Grant.objects.filter(user=person).delete()
