"""Teams: people make and name them, invite others, join and leave.

Every function locks the person who acts, then the team. So two of them at once cannot leave it
without an owner, nor give two places to one person.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import Case, ProtectedError, QuerySet, When
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.domain import inviting, limits, services
from accounts.models import Invitation, Membership, Team, User
from core.db.retrying import retrying
from core.errors import AccountClosed, Conflict, Forbidden, Invalid, NotFound
from core.people import arrivals, departures
from notifications.domain import notifications

Role = Membership.Role

INVITATION_STANDS = timedelta(days=7)
# An expired invitation is kept for so long, so that it can be sent again.
INVITATION_KEPT = timedelta(days=30)
INVITING = (Role.OWNER, Role.MANAGER)


def find(*, team_id: int, user: User) -> Membership:
    """Return a person's own membership of a team, or raise NotFound."""
    found = (
        user.memberships.select_related("team")
        .filter(team__in=Team.objects.filter(pk=team_id))
        .first()
    )
    if found is None:
        raise NotFound("team not found")
    return found


@transaction.atomic
def create(*, owner: User, name: str) -> Team:
    """Create a team. LimitReached if the owner is in the maximum number of teams."""
    services.lock(owner.pk)
    limits.require_room("teams", owner.memberships.all())
    team = Team(name=name.strip())
    team.full_clean()
    team.save(force_insert=True)
    Membership.objects.create(team=team, user=owner, role=Role.OWNER)
    return team


@transaction.atomic
def rename(*, team: Team, actor: User, name: str) -> None:
    _acting(team, actor, Role.OWNER)
    team.name = name.strip()
    team.full_clean()
    team.save(update_fields=["name"])


@transaction.atomic
def set_role(*, team: Team, actor: User, member_id: int, role: str) -> Membership:
    """Change a member's role. Conflict if the team would be left without an owner."""
    _acting(team, actor, Role.OWNER)
    member = _member(team, member_id)
    if role not in Role.values:
        raise Invalid(_("There is no such role."), field="role")
    if role != Role.OWNER:
        _keep_an_owner(member)
    member.role = role
    member.save(update_fields=["role"])
    return member


def remove(*, team: Team, actor: User, member_id: int, now: datetime) -> Membership:
    """Take another person out of the team. Invalid for the actor, who leaves by `leave`.

    What is pending between them and others in the team ends.
    """

    def write() -> Membership:
        with transaction.atomic():
            person_id = _member(team, member_id).user_id
            departures.hold_team(person_id=person_id, team_id=team.pk)
            _acting(team, actor, Role.OWNER)
            member = _member(team, member_id)
            if member.user_id == actor.pk:
                raise Invalid(_("To go yourself, leave the team."))
            member.delete()
            departures.leave_team(person_id=person_id, team_id=team.pk, now=now)
        return member

    return retrying(write)


def leave(*, team: Team, actor: User, now: datetime) -> None:
    """Leave the team. What is pending between the actor and others in the team ends.

    An unused team is deleted with its last person. Conflict for the last owner of a team with
    others.
    """

    def write() -> None:
        with transaction.atomic():
            departures.hold_team(person_id=actor.pk, team_id=team.pk)
            own = _acting(team, actor)
            if team.memberships.exclude(pk=own.pk).exists():
                _keep_an_owner(own)
            else:
                forget_invitations(team.invitations.all(), now=now)
                if _delete_unused(team):
                    return
            own.delete()
            departures.leave_team(person_id=actor.pk, team_id=team.pk, now=now)

    retrying(write)


def hold(*, team_id: int, user: User) -> Team:
    """Lock the team until the transaction ends. NotFound if it is gone or the user is not in it.

    People are locked before their team. While the lock is held, nobody leaves the team and it is
    not deleted.
    """
    return find(team_id=_lock(team_id).pk, user=user).team


def heir(*, team: Team, of: User) -> Membership | None:
    """Return the next owner for the case that this person, the only owner, is deleted.

    The person who has been in the team longest comes first: of its managers, else of its members,
    else of its clients. None if nobody else is there.
    """
    others = team.memberships.filter(user__is_active=True).exclude(user=of).select_related("user")
    ranks = [Role.MANAGER, Role.MEMBER, Role.CLIENT]
    rank = Case(*(When(role=role, then=place) for place, role in enumerate(ranks)))
    return others.order_by(rank, "created_at", "pk").first()


def has_other_owners(*, team: Team, than: User) -> bool:
    owners = team.memberships.filter(role=Role.OWNER, user__is_active=True)
    return owners.exclude(user=than).exists()


@transaction.atomic
def part_for_good(*, user: User, now: datetime) -> None:
    """Take a deleted person out of every team. A team with people keeps an owner."""
    for own in user.memberships.select_related("team").order_by("team_id"):
        team = _lock(own.team_id)
        if not has_other_owners(team=team, than=user) and own.role == Role.OWNER:
            successor = heir(team=team, of=user)
            if successor is not None:
                successor.role = Role.OWNER
                successor.save(update_fields=["role"])
        own.delete()
        if not team.memberships.exists():
            forget_invitations(team.invitations.all(), now=now)
            _delete_unused(team)


def _delete_unused(team: Team) -> bool:
    """Delete the team. False if past meetings still refer to it, so that it stays."""
    try:
        with transaction.atomic():
            team.delete()
    except ProtectedError:
        return False
    return True


@transaction.atomic
def delete(*, team: Team, actor: User, now: datetime) -> None:
    """Delete a team in which nothing has happened yet. Conflict for any other."""
    _acting(team, actor, Role.OWNER)
    forget_invitations(team.invitations.all(), now=now)
    if not _delete_unused(team):
        raise Conflict(
            _("Meetings of this team are on record, so it stays. You can leave it instead.")
        )


@transaction.atomic
def invite(*, team: Team, actor: User, email: str, now: datetime) -> Invitation:
    """Invite the owner of this address. Invalid if they are in the team or invited already.

    LimitReached if the team has the maximum number of people and invitations. Busy if the actor has
    sent the maximum number of invitations for now.
    """
    inviting.count(team=team, actor=actor, now=now)
    _acting(team, actor, *INVITING)
    email = email.strip().lower()
    if _in_team(team, email):
        raise Invalid(_("This person is already in the team."), field="email")
    before = team.invitations.filter(email__iexact=email)
    if before.filter(expires_at__gt=now).exists():
        raise Invalid(
            _("This address is invited already. You can send the email again."), field="email"
        )
    forget_invitations(before, now=now)
    limits.require_room("team_members", *places(team))
    invitation = Invitation(
        team=team,
        email=email,
        invited_by=actor,
        created_at=now,
        expires_at=now + INVITATION_STANDS,
    )
    invitation.full_clean()
    invitation.save(force_insert=True)
    _send(invitation, now)
    return invitation


@transaction.atomic
def send_again(*, team: Team, actor: User, invitation_id: int, now: datetime) -> Invitation:
    """Send the same link again. It is valid as long as a new one. Busy as in `invite`."""
    inviting.count(team=team, actor=actor, now=now)
    _acting(team, actor, *INVITING)
    invitation = _invitation(team, invitation_id)
    invitation.expires_at = now + INVITATION_STANDS
    invitation.save(update_fields=["expires_at"])
    notifications.withdraw(topic=_topic(invitation), now=now)
    _send(invitation, now)
    return invitation


@transaction.atomic
def withdraw(*, team: Team, actor: User, invitation_id: int, now: datetime) -> Invitation:
    """Withdraw an invitation. Its link no longer works."""
    _acting(team, actor, *INVITING)
    invitation = _invitation(team, invitation_id)
    forget_invitations(team.invitations.filter(pk=invitation.pk), now=now)
    return invitation


def places(team: Team) -> tuple[QuerySet[Membership], QuerySet[Invitation]]:
    """Return the memberships and the invitations of a team, which count together."""
    return team.memberships.all(), team.invitations.all()


def is_for(invitation: Invitation, user: User) -> bool:
    """Tell whether this person has confirmed the invited address as theirs."""
    own: QuerySet[EmailAddress] = EmailAddress.objects.filter(user=user, verified=True)
    return own.filter(email__iexact=invitation.email).exists()


@transaction.atomic
def join(*, invitation: Invitation, user: User, now: datetime) -> Membership:
    """Accept the invitation. A person who is in the team already keeps their role.

    NotFound if the invitation was used or withdrawn. Conflict if it has expired. Forbidden for any
    person except the owner of the invited address. LimitReached for one team too many.
    """
    services.lock(user.pk)
    team = _lock(invitation.team_id)
    held = team.invitations.filter(pk=invitation.pk).first()
    if held is None:
        raise NotFound(_("This invitation has been used, or was withdrawn."))
    if held.expires_at <= now:
        raise Conflict(_("This invitation is too old. The sender can send it again."))
    if not is_for(held, user):
        raise Forbidden(_("This invitation is for another address."))
    member = team.memberships.filter(user=user).first()
    if member is None:
        limits.require_room("teams", user.memberships.all())
        member = Membership.objects.create(team=team, user=user)
    forget_invitations(team.invitations.filter(pk=held.pk), now=now)
    return member


def has_account(invitation: Invitation) -> bool:
    """Tell whether an account has this address, confirmed or not, so that none can be made."""
    return (
        User.objects.filter(email=invitation.email).exists() or account_of(invitation) is not None
    )


@transaction.atomic
def admit(*, invitation: Invitation, user: User, now: datetime) -> Membership:
    """Let a person in who has just signed up by the link of this invitation.

    Only the owner of the invited mailbox has the link, so it confirms their address too. Call it in
    the transaction that makes the account: a refusal of `join` leaves none behind.
    """
    services.lock(user.pk)
    services.vouch_for_email(user=user)
    arrivals.arrive(person_id=user.pk, now=now)
    return join(invitation=invitation, user=user, now=now)


def keep_owners(*, changed: Collection[Membership], deleted: Collection[Membership]) -> None:
    """Check several changes that staff make at once, in the transaction that saves them.

    Conflict if people would be left in a team without an owner. AccountClosed if a membership would
    go to a deleted account.
    """
    touched = [*changed, *deleted]
    for row in deleted:
        departures.hold_team(person_id=row.user_id, team_id=row.team_id)
    for person_id in sorted({row.user_id for row in changed}):
        if services.lock_kept(person_id) is None:
            raise AccountClosed(_("This account is closed."))
    known = sorted({row.team_id for row in touched if row.team_id})
    list(Team.objects.select_for_update(no_key=True).filter(pk__in=known).order_by("pk"))
    for team_id in {row.team_id for row in touched}:
        placed = [row for row in changed if row.team_id == team_id]
        others = Membership.objects.filter(team=team_id)
        others = others.exclude(pk__in=[row.pk for row in touched if row.pk])
        owned = (
            any(row.role == Role.OWNER and row.user.is_active for row in placed)
            or others.filter(role=Role.OWNER, user__is_active=True).exists()
        )
        if not owned and (placed or others.exists()):
            raise _without_owner()


def _lock(team_id: int) -> Team:
    locked = Team.objects.select_for_update(no_key=True).filter(pk=team_id).first()
    if locked is None:
        raise NotFound("team not found")
    return locked


def _acting(team: Team, actor: User, *roles: str) -> Membership:
    """Lock the actor and the team, and return the actor's membership.

    Forbidden unless its role is one of `roles`; without `roles`, any role is fine.
    """
    services.lock(actor.pk)
    _lock(team.pk)
    own = find(team_id=team.pk, user=actor)
    if roles and own.role not in roles:
        raise Forbidden(_("This is for others in the team to do."))
    return own


def _member(team: Team, member_id: int) -> Membership:
    found = team.memberships.select_related("user").filter(pk=member_id).first()
    if found is None:
        raise NotFound("member not found")
    return found


def _invitation(team: Team, invitation_id: int) -> Invitation:
    found = team.invitations.select_related("team", "invited_by").filter(pk=invitation_id).first()
    if found is None:
        raise NotFound("invitation not found")
    return found


def _keep_an_owner(member: Membership) -> None:
    """Raise Conflict if this is the team's last owner."""
    owners = Membership.objects.filter(team=member.team_id, role=Role.OWNER, user__is_active=True)
    if member.role == Role.OWNER and not owners.exclude(pk=member.pk).exists():
        raise _without_owner()


def _without_owner() -> Conflict:
    return Conflict(_("A team needs an owner: make somebody else an owner first."))


def _in_team(team: Team, email: str) -> bool:
    known = EmailAddress.objects.filter(email__iexact=email, verified=True).values("user")
    return team.memberships.filter(user__in=known).exists()


def _topic(invitation: Invitation) -> str:
    return f"invitation:{invitation.pk}"


def forget_invitations(invitations: QuerySet[Invitation], *, now: datetime) -> None:
    """Delete these invitations with their notifications, which could not be found afterwards.

    The notifications name the inviter, and an address that need not have an account.
    """
    for invitation in invitations:
        notifications.withdraw(topic=_topic(invitation), now=now)
        notifications.forget(topics=[_topic(invitation)])
    invitations.delete()


def account_of(invitation: Invitation) -> User | None:
    """Return the account that has confirmed the address of this invitation."""
    return User.objects.filter(
        emailaddress__email__iexact=invitation.email, emailaddress__verified=True
    ).first()


def _send(invitation: Invitation, now: datetime) -> None:
    """Mail an invitation. It is not sent to a deactivated account."""
    row = notifications.email(
        "team_invitation",
        {"id": invitation.pk, "language": translation.get_language()},
        user=account_of(invitation),
        address=invitation.email,
        topic=_topic(invitation),
    )
    notifications.enqueue([row], now=now)
