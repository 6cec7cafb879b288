"""The v3 paths of meetings, each mapped to its action: the document fixes their names."""

from django.urls import path

from meetings.api.viewsets import MeetingViewSet

urlpatterns = [
    path("create", MeetingViewSet.as_view({"post": "create"})),
    path("list", MeetingViewSet.as_view({"get": "list"})),
    path("<int:meeting_id>", MeetingViewSet.as_view({"get": "retrieve"})),
    path("<int:meeting_id>/confirm", MeetingViewSet.as_view({"post": "confirm"})),
    path("<int:meeting_id>/reject", MeetingViewSet.as_view({"post": "reject"})),
    path("<int:meeting_id>/cancel", MeetingViewSet.as_view({"post": "cancel"})),
]
