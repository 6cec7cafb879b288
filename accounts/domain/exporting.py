"""Export of a person's account data."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.utils.translation import gettext as _
from oauth2_provider.models import Application

from accounts.domain import applications
from accounts.models import Invitation, Picture, User
from core.db.crypto import is_readable
from core.people.privacy import BATCH, File, json_file
from notifications.models import Notification

_OF_PROFILE = (
    "id",
    "uuid",
    "email",
    "username",
    "first_name",
    "last_name",
    "avatar_url",
    "position",
    "company",
    "timezone",
    "date_format",
    "time_format",
    "language",
    "week_start",
    "is_staff",
    "is_superuser",
    "created_at",
    "updated_at",
    "last_login",
)


def export(*, person_id: int, now: datetime) -> Iterator[File]:
    person = User.objects.get(pk=person_id)
    yield json_file("profile.json", _("You, your addresses and second steps."), _profile(person))
    if picture := Picture.objects.filter(user=person).first():
        yield File("picture.webp", _("Your picture."), [bytes(picture.data)])
    yield json_file(
        "teams.json",
        _("Your teams, and your role in each."),
        (
            {"id": own.team_id, "name": own.team.name, "role": own.role, "since": own.created_at}
            for own in person.memberships.select_related("team")
        ),
    )
    yield json_file(
        "invitations.json", _("Open invitations by you and to you."), _invitations(person)
    )
    yield json_file(
        "api_tokens.json",
        _("Your API tokens, without the tokens."),
        (
            _values(
                token,
                "name",
                "hint",
                "scopes",
                "created_at",
                "expires_at",
                "last_used_at",
                "revoked_at",
            )
            for token in person.tokens.all()
        ),
    )
    yield json_file(
        "devices.json",
        _("Where you get push messages."),
        (
            _values(device, "platform", "name", "is_active", "created_at", "updated_at")
            for device in person.devices.all()
        ),
    )
    yield json_file(
        "switched_off_messages.json",
        _("Messages that you have switched off."),
        (_values(row, "kind", "channel") for row in person.opt_outs.all()),
    )
    yield json_file(
        "applications.json",
        _("Applications that you have created."),
        (
            _values(made, "client_id", "name", "redirect_uris", "created", "updated")
            for made in Application.objects.filter(user=person).order_by("pk")
        ),
    )
    yield json_file(
        "connected_applications.json",
        _("Applications that you have connected."),
        _connected(person, now),
    )
    yield json_file(
        "sessions.json",
        _("Where you are signed in."),
        (
            _values(session, "agent", "started_at", "seen_at", "expire_date")
            for session in person.sessions.all()
        ),
    )
    yield json_file(
        "audit_log.json",
        _("Activity of your account."),
        (
            {
                **_values(entry, "at", "action", "subject"),
                "address": entry.address_for_person,
                "by_you": entry.actor_id == person.pk,
            }
            for entry in person.audit_entries.iterator(BATCH)
        ),
    )
    yield json_file(
        "notifications.json", _("The messages sent to you: when, and about what."), _sent(person)
    )


def _values(row: Any, *names: str) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _profile(person: User) -> Iterator[dict[str, Any]]:
    addresses = EmailAddress.objects.filter(user=person).order_by("pk")
    factors = Authenticator.objects.filter(user=person).order_by("pk")
    yield _values(person, *_OF_PROFILE) | {
        "former_usernames": list(person.former_usernames.values("username", "given_up_at")),
        "email_addresses": list(addresses.values("email", "verified", "primary")),
        "second_steps": list(factors.values("type", "created_at", "last_used_at")),
    }


def _invitations(person: User) -> Iterator[dict[str, Any]]:
    own = EmailAddress.objects.filter(user=person, verified=True).values("email")
    for by_you, rows in (
        (True, Invitation.objects.filter(invited_by=person)),
        (False, Invitation.objects.filter(email__in=own)),
    ):
        for row in rows.select_related("team"):
            told = _values(row, "email", "created_at", "expires_at")
            yield {"by_you": by_you, "team": row.team.name, **told}


def _connected(person: User, now: datetime) -> Iterator[dict[str, Any]]:
    for connection in applications.connections(person=person, now=now):
        yield {
            **_values(connection.application, "name", "client_id"),
            **_values(connection, "scopes", "since", "refreshed_at"),
        }


def _sent(person: User) -> Iterator[dict[str, Any]]:
    """Yield the person's notifications, without their texts.

    The texts held links that act for any person who has them.
    """
    rows = Notification.objects.filter(user=person).order_by("pk")
    for row in rows.iterator(BATCH):
        is_told = row.is_written and is_readable(row, "content")
        content = json.loads(row.content) if is_told else {}
        yield {
            **_values(row, "kind", "channel", "state", "created_at", "due_at", "settled_at"),
            # An address of a device is only a digest here, which is of no use to the person.
            "address": row.address if row.channel == Notification.Channel.EMAIL else "",
            "subject": content.get("subject", content.get("title")),
        }
