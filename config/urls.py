"""URL patterns of the whole site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from core.web.components import components

# A mail provider tells of bounces here. Without a secret anybody could.
_provider = (
    [path("anymail/", include("anymail.urls"))] if settings.ANYMAIL.get("WEBHOOK_SECRET") else []
)

urlpatterns = [
    path("api/", include("config.api_urls")),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.libraries.allauth_urls")),
    path("language", require_POST(set_language), name="set_language"),
    path("components", components, name="components"),
    path("", include("accounts.urls")),
    path("", include("accounts.libraries.oauth_urls")),
    path("", include("webhooks.urls")),
    path("", include("calendars.urls")),
    path("", include("scheduling.urls")),
    path("", include("meetings.urls")),
    *_provider,
    # Last: a username is whatever is left.
    path("", include("scheduling.pages.public_urls")),
]

handler500 = "core.web.crashes.crashed"
