"""The v1 paths of people and teams."""

from django.urls import path

from accounts.api import schema, views

__all__ = ["schema", "urlpatterns"]  # the document knows our tokens once `schema` is imported

urlpatterns = [
    path("tokens/revoke", views.LeakedToken.as_view()),
    path("users/me", views.Profile.as_view()),
    path("users/me/devices", views.Devices.as_view()),
    path("users/me/devices/<int:device_id>", views.Device.as_view()),
    path("teams", views.Teams.as_view()),
    path("teams/<int:team_id>/members", views.Members.as_view()),
]
