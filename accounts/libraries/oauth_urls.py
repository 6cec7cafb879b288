"""The endpoints of OAuth 2.0, by the names that django-oauth-toolkit knows them by."""

from django.urls import path

from accounts.pages import oauth

app_name = "oauth2_provider"
urlpatterns = [
    path("oauth/authorize", oauth.authorize, name="authorize"),
    path("oauth/token", oauth.token, name="token"),
    path("oauth/revoke", oauth.revoke, name="revoke-token"),
    path("oauth/introspect", oauth.introspect, name="introspect"),
    path(".well-known/oauth-authorization-server", oauth.metadata, name="oauth-server-metadata"),
    path(".well-known/oauth-protected-resource", oauth.resource_metadata, name="oauth-resource"),
]
