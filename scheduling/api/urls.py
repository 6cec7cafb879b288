"""The v1 paths of hours, event types and events."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from scheduling.api import event_types, events, hours, schema

__all__ = ["schema", "urlpatterns"]  # the document knows of all that `schema` says

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("event_types", event_types.EventTypeViewSet, "event_type")
router.register("events", events.EventViewSet, "event")
router.register("users/me/availability/overrides", hours.OverrideViewSet, "override")

urlpatterns = [
    path(
        "users/me/availability",
        hours.AvailabilityViewSet.as_view(
            {"get": "retrieve", "put": "update", "patch": "partial_update"}
        ),
    ),
    *router.urls,
]
