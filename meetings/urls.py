"""The pages of meetings, and the signed-in home."""

from django.urls import path

from meetings import home, pages

app_name = "meetings"

urlpatterns = [
    path("", home.home, name="home"),
    path("meetings", pages.meetings, name="meetings"),
    path("meetings/new", pages.ask, name="ask"),
    path("meetings/<int:meeting_id>", pages.meeting, name="meeting"),
    path("meetings/<int:meeting_id>/confirm", pages.confirm, name="confirm"),
    path("meetings/<int:meeting_id>/reject", pages.reject, name="reject"),
    path("meetings/<int:meeting_id>/cancel", pages.cancel, name="cancel"),
    path("meetings/answer/<str:token>", pages.answer, name="answer"),
]
