"""URLs of the v1 API for hours, event types and events."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from scheduling.api import event_types, events, hours, schema

__all__ = ["schema", "urlpatterns"]  # importing `schema` registers its extensions

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("event_types", event_types.EventTypeViewSet, "event_type")
router.register("events", events.EventViewSet, "event")
router.register("users/me/schedules", hours.ScheduleViewSet, "schedule")
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
