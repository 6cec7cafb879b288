"""The pages of bookings."""

from django.urls import path

from scheduling import pages

app_name = "scheduling"
urlpatterns = [
    path("bookings/manage/<str:token>", pages.manage, name="manage"),
    path("bookings/answer/<str:token>", pages.answer, name="answer"),
]
