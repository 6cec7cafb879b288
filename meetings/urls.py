"""URLs of the meeting pages, and of the home page for signed-in people."""

from django.urls import path

from meetings.pages import home, meetings

app_name = "meetings"

urlpatterns = [
    path("", home.home, name="home"),
    path("meetings", meetings.meetings, name="meetings"),
    path("meetings/export.csv", meetings.meeting_file, name="meeting_file"),
    path("meetings/new", meetings.ask, name="ask"),
    path("meetings/<int:meeting_id>", meetings.meeting, name="meeting"),
    path("meetings/<int:meeting_id>/confirm", meetings.confirm, name="confirm"),
    path("meetings/<int:meeting_id>/reject", meetings.reject, name="reject"),
    path("meetings/<int:meeting_id>/cancel", meetings.cancel, name="cancel"),
    path("meetings/answer/<str:token>", meetings.answer, name="answer"),
]
