from django.urls import path

from meetings.api import views

urlpatterns = [
    path("create", views.Create.as_view()),
    path("list", views.Meetings.as_view()),
    path("<int:meeting_id>", views.Meeting.as_view()),
    path("<int:meeting_id>/confirm", views.Confirm.as_view()),
    path("<int:meeting_id>/reject", views.Reject.as_view()),
    path("<int:meeting_id>/cancel", views.Cancel.as_view()),
]
