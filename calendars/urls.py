"""Settings of outside calendars, and the feeds that other calendars read."""

from django.urls import path

from calendars.pages import accounts, feeds

app_name = "calendars"
urlpatterns = [
    path("settings/calendars", accounts.accounts, name="accounts"),
    path("settings/calendars/new/ics", accounts.connect, {"provider": "ics"}, name="connect_ics"),
    path(
        "settings/calendars/new/caldav",
        accounts.connect,
        {"provider": "caldav"},
        name="connect_caldav",
    ),
    path("settings/calendars/accounts/<int:account_id>", accounts.account, name="account"),
    path("settings/calendars/accounts/<int:account_id>/refresh", accounts.refresh, name="refresh"),
    path(
        "settings/calendars/accounts/<int:account_id>/disconnect",
        accounts.disconnect,
        name="disconnect",
    ),
    path("settings/calendars/<int:calendar_id>/switch", accounts.switch, name="switch"),
    path("settings/calendars/write-to", accounts.write_to, name="write_to"),
    path("settings/calendars/feed", feeds.make, name="make_feed"),
    path("settings/calendars/feed/titles", feeds.show_titles, name="show_titles"),
    path("settings/calendars/feed/end", feeds.end, name="end_feed"),
    path("calendar/feed/<str:token>.ics", feeds.feed, name="feed"),
]
