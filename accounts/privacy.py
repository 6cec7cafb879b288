"""Personal data of accounts: consequences, erasure and retention. See `core.people.privacy`."""

from collections.abc import Iterator
from datetime import datetime

import structlog
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from oauth2_provider.models import (
    AccessToken,
    Application,
    DeviceGrant,
    Grant,
    IDToken,
    RefreshToken,
)

from accounts.domain import applications, audit, teams
from accounts.domain.audit import Action
from accounts.domain.exporting import export
from accounts.models import (
    AuditEntry,
    FormerUsername,
    Invitation,
    Picture,
    Session,
    User,
    usernames,
)
from core.api import idempotency
from core.errors import Conflict
from core.models import IdempotencyRecord
from core.people import privacy
from core.people.privacy import Outdated
from notifications.domain import notifications
from notifications.models import Notification

__all__ = [
    "consequences",
    "erase",
    "export",
    "is_last_superuser",
    "keep_a_superuser",
    "outdated",
]

_BY_STAFF = [Action.STAFF_ADDED, Action.STAFF_CHANGED, Action.STAFF_DELETED, Action.STAFF_ACTED]

log = structlog.get_logger(__name__)


def consequences(*, person_id: int, now: datetime) -> Iterator[str]:
    person = User.objects.get(pk=person_id)
    for own in person.memberships.select_related("team").order_by("team__name", "team_id"):
        named = {"team": own.team.name}
        heir = teams.heir(team=own.team, of=person)
        if heir is None:
            yield _(
                "You are the only member of %(team)s. It is deleted too, unless it has meetings on"
                " record."
            ) % (named)
        elif own.role != own.Role.OWNER or teams.has_other_owners(team=own.team, than=person):
            yield _("You leave %(team)s.") % named
        else:
            named["name"] = heir.user.name
            yield _("You leave %(team)s, and %(name)s becomes its owner.") % named
    count = person.tokens.filter(revoked_at=None).count()
    if count:
        yield ngettext(
            "%(count)d API token stops working.", "%(count)d API tokens stop working.", count
        ) % {"count": count}
    count = Application.objects.filter(user=person).count()
    if count:
        yield ngettext(
            "%(count)d application of yours stops working, for everybody who has connected it.",
            "%(count)d applications of yours stop working, for everybody who has connected them.",
            count,
        ) % {"count": count}


def is_last_superuser(person: User) -> bool:
    """Tell whether this person is the last active superuser."""
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    return person.is_superuser and not others.exists()


def erase(*, person_id: int, now: datetime) -> None:
    person = User.objects.select_for_update(no_key=True).get(pk=person_id)
    if person.deleted_at is not None:
        return
    keep_a_superuser(person)
    last_words = notifications.render_email(
        "account_deleted", {"person": person}, language=person.mail_language
    )
    addresses = {person.email, *_addresses(person)}
    teams.part_for_good(user=person, now=now)
    _forget_what_was_said(person, addresses, now)
    _close_doors(person)
    audit.record(Action.ACCOUNT_DELETED, person=person, actor=person, now=now)
    _forget_what_was_done(person)
    row = notifications.written(
        "account_deleted", last_words, address=person.email, topic=notifications.ONCE
    )
    notifications.enqueue([row], now=now)
    _reserve_usernames(person)
    _leave_nobody(person, now)
    log.info("account_deleted", account=person.pk)


def keep_a_superuser(person: User) -> None:
    """Raise Conflict if nobody would have all rights without this person.

    Call it in a transaction.
    """
    if person.is_superuser:  # locked, so that of the last two one stays
        staff = User.objects.filter(is_superuser=True).order_by("pk")
        list(staff.select_for_update(no_key=True).values_list("pk"))
    if is_last_superuser(person):
        raise Conflict(_("Nobody else has all rights here. Make somebody else a superuser first."))


def _addresses(person: User) -> list[str]:
    return list(EmailAddress.objects.filter(user=person).values_list("email", flat=True))


def _forget_what_was_said(person: User, addresses: set[str], now: datetime) -> None:
    """Delete the notifications to this person and to their addresses.

    Messages of hosts to an invitee with the same address stay: they do not belong to an account.
    """
    offered = Invitation.objects.filter(Q(invited_by=person) | Q(email__in=addresses))
    teams.forget_invitations(offered, now=now)
    to_an_account = Q(topic="") | Q(topic__startswith="invitation:")
    to_them = Q(user=person) | Q(address__in=addresses) & to_an_account
    Notification.objects.filter(to_them).delete()


def _close_doors(person: User) -> None:
    """Delete everything that gives access, by a browser, a token or a program."""
    for tokens in (RefreshToken, AccessToken, IDToken, Grant, DeviceGrant, Application):
        tokens.objects.filter(user=person).delete()
    Picture.objects.filter(user=person).delete()
    for rows in (person.tokens, person.devices, person.opt_outs, person.sessions):
        rows.all().delete()
    IdempotencyRecord.objects.filter(user=person).delete()
    Authenticator.objects.filter(user=person).delete()
    EmailAddress.objects.filter(user=person).delete()
    person.groups.clear()
    person.user_permissions.clear()


def _forget_what_was_done(person: User) -> None:
    """Delete the person's audit entries.

    Of staff's actions and of the deletion, time and kind stay. Entries that name a person are filed
    under them. The texts of other people's entries are not searched for the name. Otherwise people
    could choose by their name which entries are emptied.
    """
    kept = [*_BY_STAFF, Action.ACCOUNT_DELETED]
    AuditEntry.objects.filter(person=person).exclude(action__in=kept).delete()
    AuditEntry.objects.filter(person=person).update(subject="", address=None)
    AuditEntry.objects.filter(actor=person).update(address=None)
    kind = ContentType.objects.get_for_model(User)
    about = Q(content_type=kind, object_id=str(person.pk))
    LogEntry.objects.filter(about | Q(user=person)).delete()


def _reserve_usernames(person: User) -> None:
    """Keep the names from other people for a while: links to the deleted person are about."""
    names = [person.username, *person.former_usernames.values_list("username", flat=True)]
    person.former_usernames.all().delete()
    FormerUsername.objects.bulk_create(
        [FormerUsername(user=person, username=usernames.sealed(name)) for name in names],
        ignore_conflicts=True,
    )


def _leave_nobody(person: User, now: datetime) -> None:
    """Replace the person's row by an empty one, since meetings and bookings point at it.

    Nobody can take its username.
    """
    nobody = User(
        pk=person.pk,
        created_at=person.created_at,
        deleted_at=now,
        is_active=False,
        username=f"deleted.{person.pk}",
    )
    nobody.email = f"{nobody.uuid}@deleted.invalid"
    nobody.set_unusable_password()
    nobody.save(force_update=True)


def outdated(*, now: datetime) -> Iterator[Outdated]:
    sent = Notification.objects.filter(topic=notifications.ONCE, settled_at__isnull=False)
    yield Outdated(sent, by="topic")
    if since := privacy.kept_since("notifications", now):
        yield Outdated(Notification.objects.filter(settled_at__lte=since), by="settled_at")
    if since := privacy.kept_since("audit", now):
        yield Outdated(AuditEntry.objects.filter(at__lte=since), by="at")
    given_up = FormerUsername.objects.filter(given_up_at__lte=now - usernames.RESERVED)
    yield Outdated(given_up, by="given_up_at")
    yield Outdated(idempotency.outdated(now), by="created_at")
    yield Outdated(Session.objects.filter(expire_date__lte=now), by="expire_date")
    yield from applications.outdated(now)
    yield Outdated(
        Invitation.objects.filter(expires_at__lte=now - teams.INVITATION_KEPT),
        by="id",
        forget=lambda keys: teams.forget_invitations(
            Invitation.objects.filter(pk__in=keys), now=now
        ),
    )
