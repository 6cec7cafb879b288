"""OAuth applications that people make, and connections of people to applications."""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _
from oauth2_provider.models import AccessToken, Application, Grant, RefreshToken
from oauth2_provider.settings import oauth2_settings

from accounts.domain import audit, limits, redirect_uris
from accounts.domain.audit import Action
from accounts.domain.services import lock, lock_kept
from accounts.models import REFRESH_PREFIX, User, new_token
from core.db.crypto import digest
from core.errors import Conflict, Invalid, NotFound
from core.people.privacy import Outdated

SECRET_PREFIX = "ocs_"  # noqa: S105  what every secret of an application begins with
# Used refresh tokens kept of one connection: more than one an hour in its 90 days.
_MOST_USED = 2_500


@dataclass(frozen=True)
class Connection:
    """An application that a person lets act for them."""

    application: Application
    scopes: Sequence[str]
    since: datetime
    refreshed_at: datetime


def lifetime() -> timedelta:
    """Return how long a refresh token stays valid after its access token has expired."""
    return timedelta(seconds=oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS)


def live(now: datetime) -> QuerySet[RefreshToken, RefreshToken]:
    """Return the refresh tokens that stand for live connections, one for each consent."""
    rows: QuerySet[RefreshToken, RefreshToken] = RefreshToken.objects.filter(
        revoked=None,
        access_token__expires__gt=now - lifetime(),
        application__user__is_active=True,
        user__is_active=True,
    )
    return rows


# --- of those who make them ---------------------------------------------------------------------


def made_by(owner: User, *, now: datetime) -> QuerySet[Application, Any]:
    """Return a person's applications. `people` counts those who have connected each one."""
    connected = Q(refreshtoken__in=live(now))
    rows: QuerySet[Application, Any] = (
        Application.objects.filter(user=owner)
        .annotate(people=Count("refreshtoken__user", filter=connected, distinct=True))
        .order_by("name", "id")
    )
    return rows


def make(
    *, owner: User, name: str, is_public: bool, redirect_uris: Sequence[str], now: datetime
) -> tuple[Application, str]:
    """Make an application. Return its row and its secret, which is shown only once.

    A public application has no secret. Invalid for addresses that cannot be redirected to,
    LimitReached for one application too many.
    """
    uris = _checked(redirect_uris)
    secret = "" if is_public else new_token(SECRET_PREFIX)
    with transaction.atomic():
        lock(owner.pk)
        limits.require_room("applications", Application.objects.filter(user=owner))
        application = Application.objects.create(
            user=owner,
            name=name,
            client_type=(
                Application.CLIENT_PUBLIC if is_public else Application.CLIENT_CONFIDENTIAL
            ),
            authorization_grant_type=Application.GRANT_AUTHORIZATION_CODE,
            redirect_uris=uris,
            hash_client_secret=False,  # what is kept is our own digest of it
            client_secret=_kept(secret),
        )
        audit.record(Action.APPLICATION_MADE, person=owner, actor=owner, subject=name, now=now)
    return application, secret


@transaction.atomic
def change(
    *, application: Application, actor: User, name: str, redirect_uris: Sequence[str], now: datetime
) -> None:
    """Change the name and the redirect URIs. Invalid for addresses that cannot be redirected to."""
    uris = _checked(redirect_uris)
    lock(application.user_id)
    _require_kept(application)
    application.name, application.redirect_uris = name, uris
    application.save(update_fields=["name", "redirect_uris", "updated"])
    _record(Action.APPLICATION_CHANGED, application, actor, now)


@transaction.atomic
def rotate_secret(*, application: Application, actor: User, now: datetime) -> str:
    """Replace the secret. The old one is refused from now on.

    Conflict for a public application, which has none.
    """
    if application.client_type == Application.CLIENT_PUBLIC:
        raise Conflict(_("A public application has no secret."))
    lock(application.user_id)
    _require_kept(application)
    secret = new_token(SECRET_PREFIX)
    application.client_secret = _kept(secret)
    application.save(update_fields=["client_secret", "updated"])
    _record(Action.APPLICATION_CHANGED, application, actor, now)
    return secret


@transaction.atomic
def delete(*, application: Application, actor: User, now: datetime) -> None:
    """Delete the application with all its tokens, so that it acts for nobody any more."""
    lock_kept(application.user_id)
    _require_kept(application)
    _record(Action.APPLICATION_DELETED, application, actor, now)
    application.delete()


def _require_kept(application: Application) -> None:
    """Raise NotFound if it was deleted before the caller had the lock of its owner."""
    if not Application.objects.filter(pk=application.pk).exists():
        raise NotFound("application not found")


def _checked(uris: Sequence[str]) -> str:
    """Check redirect URIs. Return them as they are stored: one text, separated by spaces."""
    for uri in uris:
        if problem := redirect_uris.problem_with(uri):
            raise Invalid(f"{uri[:100]}: {problem}", field="redirect_uris")
    if not uris:
        raise Invalid(_("Give at least one address."), field="redirect_uris")
    if len(uris) > redirect_uris.MOST:
        said = _("Give at most %(count)d addresses.") % {"count": redirect_uris.MOST}
        raise Invalid(said, field="redirect_uris")
    return " ".join(dict.fromkeys(uris))


def _kept(secret: str) -> str:
    return digest(secret) if secret else ""


def _record(action: Action, application: Application, actor: User, now: datetime) -> None:
    audit.record(action, person=application.user, actor=actor, subject=application.name, now=now)


# --- of those who connect them ------------------------------------------------------------------


def connections(*, person: User, now: datetime) -> list[Connection]:
    """Return the applications that act for this person, by name.

    An application that was connected twice may do what either consent allows.
    """
    rows = live(now).filter(user=person).select_related("access_token", "application__user")
    found: dict[int, list[RefreshToken]] = {}
    for row in rows.order_by("id"):
        found.setdefault(row.application_id, []).append(row)
    first = _first_by_family([row.token_family for each in found.values() for row in each])
    made = [
        Connection(
            application=each[0].application,
            scopes=sorted({scope for row in each for scope in row.access_token.scope.split()}),
            since=min(first[row.token_family] for row in each),
            refreshed_at=max(row.created for row in each),
        )
        for each in found.values()
    ]
    return sorted(made, key=lambda each: (each.application.name, each.application.pk))


def _first_by_family(families: Sequence[Any]) -> dict[Any, datetime]:
    rows = RefreshToken.objects.filter(token_family__in=families).order_by("-id")
    return dict(rows.values_list("token_family", "created"))


def is_connected(*, person: User, application: Application, now: datetime) -> bool:
    return live(now).filter(user=person, application=application).exists()


def allow(*, person: User, application: Application, now: datetime) -> None:
    """Record in the audit log that a person lets an application act for them."""
    audit.record(
        Action.APPLICATION_ALLOWED, person=person, actor=person, subject=application.name, now=now
    )


def start(*, person: User, application: Application, now: datetime) -> None:
    """Record in the audit log that the application has fetched its first tokens.

    Its calls are not recorded: to detect the first one, every call would cost a query. Beyond the
    limit, the connections that were renewed longest ago end. The caller has locked the person.
    """
    audit.record(Action.APPLICATION_STARTED, person=person, subject=application.name, now=now)
    renewed = live(now).filter(user=person).order_by("-pk").values_list("token_family", flat=True)
    for family in limits.surplus(renewed, settings.LIMITS["connections"]):
        end_family(family, action=Action.APPLICATION_REMOVED, now=now)


def forget_used(*, person: User, family: uuid.UUID) -> None:
    """Keep the newest used tokens of a connection, and its first, which shows when it began."""
    own = RefreshToken.objects.filter(user=person, token_family=family)
    first = own.order_by("pk").values("pk")[:1]
    limits.trim(own.exclude(pk__in=first).order_by("-pk"), _MOST_USED)


def find_token(text: str) -> RefreshToken | AccessToken | None:
    """Return the row of a token that an application got. None if there is none."""
    model = RefreshToken if text.startswith(REFRESH_PREFIX) else AccessToken
    rows = model.objects.select_related("user", "application")
    found: RefreshToken | AccessToken | None = rows.filter(token_checksum=digest(text)).first()
    return found


def introspect(*, text: str, application: Application, now: datetime) -> dict[str, Any]:
    """Return what an application may know of its own token (RFC 7662, 2.2).

    Another application's token counts as inactive.
    """
    token = find_token(text)
    if token is None or token.application_id != application.pk:
        return {"active": False}
    if isinstance(token, RefreshToken):
        if not live(now).filter(pk=token.pk).exists():
            return {"active": False}
        access, expires = token.access_token, token.access_token.expires + lifetime()
    else:
        access, expires = token, token.expires
        if expires <= now or not token.user.is_active:
            return {"active": False}
    return {
        "active": True,
        "client_id": application.client_id,
        "sub": token.user.uuid,
        "scope": access.scope,
        "iat": int(token.created.timestamp()),
        "exp": int(expires.timestamp()),
        "iss": settings.PUBLIC_URL,
    }


@transaction.atomic
def end(
    *,
    token: RefreshToken | AccessToken,
    now: datetime,
    actor: User | None,
    action: Action = Action.APPLICATION_REMOVED,
) -> bool:
    """End a token, and all tokens of the same consent. Return whether any was still valid.

    `actor` is a member of staff, or None: the application itself, or a person who found the token.
    """
    if not isinstance(token, RefreshToken):
        bound = RefreshToken.objects.filter(access_token=token).first()
        if bound is None:
            lock_kept(token.user_id)
            deleted, _tables = AccessToken.objects.filter(pk=token.pk).delete()
            if deleted:
                _record_end(action, token, actor, now)
            return bool(deleted)
        token = bound
    return end_family(token.token_family, action=action, actor=actor, now=now) is not None


@transaction.atomic
def end_family(
    family: uuid.UUID, *, action: Action, now: datetime, actor: User | None = None
) -> RefreshToken | None:
    """End all tokens of one consent. Return one that was still valid, or None if none was."""
    rows = RefreshToken.objects.filter(token_family=family)
    one = rows.first()
    if one is None:
        return None
    lock_kept(one.user_id)
    was_good: RefreshToken | None = (
        rows.filter(revoked=None).select_related("user", "application").first()
    )
    RefreshToken.revoke_family(family)
    if was_good is not None:
        _record_end(action, was_good, actor, now)
    return was_good


def _record_end(
    action: Action, token: RefreshToken | AccessToken, actor: User | None, now: datetime
) -> None:
    audit.record(action, person=token.user, actor=actor, subject=token.application.name, now=now)


@transaction.atomic
def disconnect(*, person: User, application_id: int, now: datetime) -> str:
    """End all access of an application to this person's account at once. Return its name.

    NotFound if it has no access.
    """
    lock_kept(person.pk)
    application = Application.objects.filter(pk=application_id).first()
    own = {"user": person, "application": application}
    models = (Grant, RefreshToken, AccessToken) if application else ()
    if not sum(model.objects.filter(**own).delete()[0] for model in models):
        raise NotFound("connection not found")
    audit.record(
        Action.APPLICATION_REMOVED, person=person, actor=person, subject=application.name, now=now
    )
    return str(application.name)


# --- what time has ended ------------------------------------------------------------------------


def outdated(now: datetime) -> Iterator[Outdated]:
    """Yield codes and tokens that no longer open anything.

    A used refresh token is kept until it would have expired: its second use shows a theft. The
    first token of a connection is kept as long as the connection lasts, because it shows when that
    began.
    """
    over = now - lifetime()
    family = RefreshToken.objects.filter(token_family=OuterRef("token_family"))
    is_first = ~Exists(family.filter(pk__lt=OuterRef("pk")))
    lasts = Exists(live(now).filter(token_family=OuterRef("token_family")))
    ended = Q(revoked__lte=over) | Q(revoked=None, access_token__expires__lte=over)
    orphaned = Q(revoked=None, access_token=None)
    unfit = RefreshToken.objects.filter(ended | orphaned).exclude(is_first & lasts)
    for rows in (
        Grant.objects.filter(expires__lte=now),
        unfit,
        AccessToken.objects.filter(refresh_token=None, expires__lte=now),
    ):
        # The library has no index on these times. The limits of an account keep the tables small.
        yield Outdated(rows, by="id")
