"""Settings of an account, and joining a team."""

from django.urls import path
from django.views.decorators.http import require_safe
from django.views.generic import RedirectView

from accounts.pages.devices import devices, remove_device
from accounts.pages.profile import profile
from accounts.pages.teams import (
    change_role,
    delete_team,
    invite,
    join_team,
    leave_team,
    remove_member,
    send_invitation,
    team,
    teams,
    withdraw_invitation,
)
from accounts.pages.tokens import revoke_token, tokens

app_name = "accounts"
urlpatterns = [
    path(
        "settings",
        require_safe(RedirectView.as_view(pattern_name="accounts:profile")),
        name="settings",
    ),
    path("settings/profile", profile, name="profile"),
    path("settings/tokens", tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", revoke_token, name="revoke_token"),
    path("settings/devices", devices, name="devices"),
    path("settings/devices/<int:device_id>/remove", remove_device, name="remove_device"),
    path("settings/teams", teams, name="teams"),
    path("settings/teams/<int:team_id>", team, name="team"),
    path("settings/teams/<int:team_id>/leave", leave_team, name="leave_team"),
    path("settings/teams/<int:team_id>/delete", delete_team, name="delete_team"),
    path(
        "settings/teams/<int:team_id>/members/<int:member_id>/role", change_role, name="change_role"
    ),
    path(
        "settings/teams/<int:team_id>/members/<int:member_id>/remove",
        remove_member,
        name="remove_member",
    ),
    path("settings/teams/<int:team_id>/invitations", invite, name="invite"),
    path(
        "settings/teams/<int:team_id>/invitations/<int:invitation_id>/send",
        send_invitation,
        name="send_invitation",
    ),
    path(
        "settings/teams/<int:team_id>/invitations/<int:invitation_id>/withdraw",
        withdraw_invitation,
        name="withdraw_invitation",
    ),
    path("teams/join/<str:token>", join_team, name="join_team"),
]
