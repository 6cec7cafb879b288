"""URLs of the site, whose mail provider tells of bounces."""

from django.urls import include, path

from config.urls import urlpatterns as site

urlpatterns = [path("anymail/", include("anymail.urls")), *site]
