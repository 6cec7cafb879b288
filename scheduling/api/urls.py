"""The v1 paths of hours, event types and events."""

from django.urls import path

from scheduling.api import hours, schema, views

__all__ = ["schema", "urlpatterns"]  # the document knows of all that `schema` says

urlpatterns = [
    path("users/me/availability", hours.Week.as_view()),
    path("users/me/availability/overrides", hours.Overrides.as_view()),
    path("users/me/availability/overrides/<str:date>", hours.Override.as_view()),
    path("event_types", views.EventTypes.as_view()),
    path("event_types/<str:key>", views.OneEventType.as_view()),
    path("event_types/<str:key>/availability", views.Slots.as_view()),
    path("events", views.Events.as_view()),
    path("events/<str:key>", views.Event.as_view()),
    path("events/<str:key>/confirm", views.Confirm.as_view()),
    path("events/<str:key>/reject", views.Reject.as_view()),
    path("events/<str:key>/cancel", views.Cancel.as_view()),
    path("events/<str:key>/reschedule", views.Reschedule.as_view()),
    path("events/<str:key>/history", views.History.as_view()),
]
