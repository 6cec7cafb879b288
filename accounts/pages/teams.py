"""Settings: teams, their people, and invitations to them."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps

from allauth.account.utils import complete_signup
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from accounts.domain import limits, links
from accounts.domain import teams as services
from accounts.models import Invitation, Membership, Team, User
from accounts.pages.forms import InviteForm, JoinForm, RoleForm, TeamForm
from accounts.pages.signed_in import SignedIn
from core.errors import Busy, Conflict, Forbidden, Invalid, LimitReached, NotFound
from core.web.pages import SAFE, action_view, checked, limited, page_of, refusals_shown, unshared

# --- the teams of a person ----------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "30/h", ["POST"])
def teams(request: SignedIn) -> HttpResponse:
    form = TeamForm(request.POST if request.method == "POST" else None)
    made = _made(request.user, form) if form.is_valid() else None
    if made is not None:
        said = gettext("%(team)s is created. Now invite its members.")
        messages.success(request, said % {"team": made.name})
        return redirect("accounts:team", made.pk)
    places = request.user.memberships.select_related("team").order_by("team__name", "team_id")
    places = places.annotate(people=Count("team__memberships"))
    page = page_of(request, places, count=request.user.memberships.count())
    full = limits.refusal_at("teams", page.paginator.count)
    context = {"part": "teams", "page": page, "full": full, "form": form}
    return render(request, "accounts/teams.html", context)


def _made(owner: User, form: TeamForm) -> Team | None:
    """Return the new team. None if the limit is reached; the form then has the reason."""
    try:
        return services.create(owner=owner, name=form.cleaned_data["name"])
    except LimitReached as error:
        form.add_error(None, error.message)
        return None


# --- one team -----------------------------------------------------------------------------------


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def team(request: SignedIn, team_id: int) -> HttpResponse:
    """Show a team's people. Owners change its name here."""
    own = _find(team_id, request.user)
    if request.method != "POST":
        return _shown(request, own)
    form = TeamForm(request.POST)
    if not form.is_valid():
        return _shown(request, own, name_form=form)
    with refusals_shown(request):
        services.rename(team=own.team, actor=request.user, name=form.cleaned_data["name"])
        messages.success(request, gettext("The team is renamed."))
    return redirect("accounts:team", team_id)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "30/h", ["POST"])
def invite(request: SignedIn, team_id: int) -> HttpResponse:
    """Send an invitation. Show the team again if the form has an error."""
    own = _find(team_id, request.user)
    form = InviteForm(request.POST)
    if request.method == "POST" and not _invited(request, own, form):
        return _shown(request, own, invite_form=form)
    return redirect("accounts:team", team_id)


def _invited(request: SignedIn, own: Membership, form: InviteForm) -> bool:
    if not form.is_valid():
        return False
    email = form.cleaned_data["email"]
    try:
        services.invite(team=own.team, actor=request.user, email=email, now=timezone.now())
    except Forbidden as error:
        raise PermissionDenied(error.message) from error
    except Invalid as error:
        form.add_error("email", error.message)
        return False
    except (Busy, LimitReached) as error:
        form.add_error(None, error.message)
        return False
    said = gettext("Invitation sent to %(email)s.")
    messages.success(request, said % {"email": email})
    return True


def _shown(
    request: SignedIn,
    own: Membership,
    name_form: TeamForm | None = None,
    invite_form: InviteForm | None = None,
) -> HttpResponse:
    people = own.team.memberships.select_related("user")
    people = people.order_by("user__first_name", "user__last_name", "id")
    may_invite = own.role in services.INVITING
    invited = own.team.invitations.select_related("invited_by") if may_invite else []
    members = page_of(request, people, name="people")
    invitations = page_of(request, invited, name="invited")
    taken = members.paginator.count + invitations.paginator.count
    return render(
        request,
        "accounts/team.html",
        {
            "part": "teams",
            "own": own,
            "people": members,
            "roles": Membership.Role.choices,
            "may_run": own.role == Membership.Role.OWNER,
            "may_invite": may_invite,
            "invitations": invitations,
            "full": limits.refusal_at("team_members", taken),
            "name_form": name_form or TeamForm(initial={"name": own.team.name}),
            "invite_form": invite_form or InviteForm(),
            "now": timezone.now(),
        },
    )


def _find(team_id: int, user: User) -> Membership:
    return services.find(team_id=team_id, user=user)


# --- what is done in it ---------------------------------------------------------------------------


def _back(request: SignedIn, team_id: int, **which: int) -> str:
    """Return the address of the team, or of the list where the person is no longer in it."""
    is_in = Membership.objects.filter(team=team_id, user=request.user).exists()
    return reverse("accounts:team", args=[team_id]) if is_in else reverse("accounts:teams")


def _acting(view: Callable[..., str]) -> Callable[..., HttpResponseBase]:
    """Make the page of an action on a team, which leads back to the team."""

    @action_view("accounts:team", "team_id", back=_back)
    @wraps(view)
    def act(request: SignedIn, team_id: int, **which: int) -> str:
        return view(request, _find(team_id, request.user), timezone.now(), **which)

    return act


@_acting
def leave_team(request: SignedIn, own: Membership, now: datetime) -> str:
    services.leave(team=own.team, actor=request.user, now=now)
    return gettext("You have left %(team)s.") % {"team": own.team.name}


@_acting
def delete_team(request: SignedIn, own: Membership, now: datetime) -> str:
    name = own.team.name
    services.delete(team=own.team, actor=request.user, now=now)
    return gettext("%(team)s has been deleted.") % {"team": name}


@_acting
def change_role(request: SignedIn, own: Membership, now: datetime, member_id: int) -> str:
    role = checked(RoleForm(request.POST))["role"]
    member = services.set_role(team=own.team, actor=request.user, member_id=member_id, role=role)
    said = gettext("%(name)s is now in this role: %(role)s.")
    return said % {"name": member.user.name, "role": member.get_role_display()}


@_acting
def remove_member(request: SignedIn, own: Membership, now: datetime, member_id: int) -> str:
    member = services.remove(team=own.team, actor=request.user, member_id=member_id, now=now)
    return gettext("%(name)s is no longer in the team.") % {"name": member.user.name}


@limited("user", "30/h", ["POST"])
@_acting
def send_invitation(request: SignedIn, own: Membership, now: datetime, invitation_id: int) -> str:
    invitation = services.send_again(
        team=own.team, actor=request.user, invitation_id=invitation_id, now=now
    )
    return gettext("Invitation sent again to %(email)s.") % {"email": invitation.email}


@_acting
def withdraw_invitation(
    request: SignedIn, own: Membership, now: datetime, invitation_id: int
) -> str:
    invitation = services.withdraw(
        team=own.team, actor=request.user, invitation_id=invitation_id, now=now
    )
    return gettext("The invitation of %(email)s has been withdrawn.") % {"email": invitation.email}


# --- the link in the email ------------------------------------------------------------------------


@unshared
@require_http_methods([*SAFE, "POST"])
@limited("ip", "600/m", SAFE)
@limited("ip", "30/m", ["POST"])
def join_team(request: HttpRequest, token: str) -> HttpResponse:
    """Show the team to any person with the link. A POST of the invited person accepts.

    A person without an account signs up on the same page.
    """
    now = timezone.now()
    try:
        invitation = links.read_invitation(token)
        if request.method == "POST" and isinstance(request.user, User):
            return _joined(request, invitation, request.user)
        too_old = invitation.expires_at <= now
        form = None if too_old else _join_form(request, invitation)
        if form is not None and form.is_valid():
            return _signed_up(request, invitation, form, now)
    except NotFound as error:
        return render(request, "accounts/join_broken.html", {"why": error.message}, status=404)
    user = request.user if isinstance(request.user, User) else None
    return render(
        request,
        "accounts/join.html",
        {
            "invitation": invitation,
            "too_old": too_old,
            "own": user is not None and services.is_for(invitation, user),
            "form": form,
            "here": request.path,
        },
    )


def _join_form(request: HttpRequest, invitation: Invitation) -> JoinForm | None:
    """Return the form to sign up. None for who is signed in, or has an account to sign in to."""
    if request.user.is_authenticated or services.has_account(invitation):
        return None
    data = request.POST if request.method == "POST" else None
    return JoinForm(data, email=invitation.email)


def _signed_up(
    request: HttpRequest, invitation: Invitation, form: JoinForm, now: datetime
) -> HttpResponse:
    """Make the account, join, sign in, and go to the team."""
    try:
        with transaction.atomic():
            user = form.save(request)
            services.admit(invitation=invitation, user=user, now=now)
    except IntegrityError:  # another request has made the account at the same moment
        return redirect(request.path)
    messages.success(request, gettext("Welcome to %(team)s.") % {"team": invitation.team.name})
    response: HttpResponse = complete_signup(
        request, user, None, reverse("accounts:team", args=[invitation.team_id])
    )
    return response


def _joined(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    """Join and go to the team. If that is refused, go back to the page, which says why."""
    try:
        services.join(invitation=invitation, user=user, now=timezone.now())
    except LimitReached as error:
        messages.error(request, error.message)
        return redirect(request.path)
    except (Conflict, Forbidden):
        return redirect(request.path)
    messages.success(request, gettext("Welcome to %(team)s.") % {"team": invitation.team.name})
    return redirect("accounts:team", invitation.team_id)
