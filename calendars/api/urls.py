"""The v1 paths of outside calendars."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from calendars.api import viewsets

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("calendar_accounts", viewsets.CalendarAccountViewSet, "calendar_account")
router.register("calendars", viewsets.CalendarViewSet, "calendar")

urlpatterns = [
    path(
        "users/me/feed",
        viewsets.FeedViewSet.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}),
    ),
    *router.urls,
]
