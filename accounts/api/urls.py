"""The v1 paths of people and teams."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from accounts.api import schema, viewsets

__all__ = ["schema", "urlpatterns"]  # the document knows our tokens once `schema` is imported

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("tokens", viewsets.TokenViewSet, "token")
router.register("users/me/devices", viewsets.DeviceViewSet, "device")
router.register("teams", viewsets.TeamViewSet, "team")

urlpatterns = [
    path(
        "users/me",
        viewsets.ProfileViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update"}
        ),
    ),
    *router.urls,
]
