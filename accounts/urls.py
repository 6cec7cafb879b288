"""Settings of an account, and joining a team."""

from django.urls import path

from accounts.pages.applications import (
    application,
    applications,
    delete_application,
    new_application,
    rotate_application,
)
from accounts.pages.connections import connections, disconnect
from accounts.pages.data import data, delete_account, export
from accounts.pages.devices import devices, remove_device
from accounts.pages.notifications import notifications
from accounts.pages.profile import profile, remove_picture, settings, upload_picture
from accounts.pages.security import access, end_other_sessions, end_session, security
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
    path("settings", settings, name="settings"),
    path("settings/profile", profile, name="profile"),
    path("settings/picture", upload_picture, name="upload_picture"),
    path("settings/picture/remove", remove_picture, name="remove_picture"),
    path("settings/notifications", notifications, name="notifications"),
    path("settings/tokens", tokens, name="tokens"),
    path("settings/tokens/<int:token_id>/revoke", revoke_token, name="revoke_token"),
    path("settings/applications", applications, name="applications"),
    path("settings/applications/new", new_application, name="new_application"),
    path("settings/applications/<int:application_id>", application, name="application"),
    path(
        "settings/applications/<int:application_id>/rotate",
        rotate_application,
        name="rotate_application",
    ),
    path(
        "settings/applications/<int:application_id>/delete",
        delete_application,
        name="delete_application",
    ),
    path("settings/connections", connections, name="connections"),
    path("settings/connections/<int:application_id>/remove", disconnect, name="disconnect"),
    path("settings/security", security, name="security"),
    path("settings/security/access", access, name="access"),
    path("settings/security/sessions/<str:session_id>/end", end_session, name="end_session"),
    path("settings/security/sessions/end", end_other_sessions, name="end_other_sessions"),
    path("settings/data", data, name="data"),
    path("settings/data/export", export, name="export"),
    path("settings/data/delete", delete_account, name="delete_account"),
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
