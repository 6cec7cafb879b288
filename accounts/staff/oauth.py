"""Staff pages for OAuth: which applications there are, and for whom they act. Never a token."""

import oauth2_provider.admin  # noqa: F401  it registers pages of its own, where all can be changed
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from oauth2_provider.models import AccessToken, Application, Grant, IDToken, RefreshToken

from accounts.domain import applications
from accounts.staff import base
from accounts.staff.base import ReadOnlyAdmin, staff_action

# IDTokens are of OpenID Connect, which we do not speak.
for model in (AccessToken, Application, Grant, IDToken, RefreshToken):
    admin.site.unregister(model)


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin[Application]):
    list_display = ("name", "user", "client_id", "client_type", "created", "updated")
    list_filter = ("client_type", "created")
    list_select_related = ("user",)
    people = ("user",)
    search_fields = ("name", "client_id__exact")
    exclude = (
        "algorithm",
        "allowed_origins",
        "authorization_grant_type",
        "cimd_expires_at",
        "client_secret",
        "hash_client_secret",
        "post_logout_redirect_uris",
        "registration_source",
        "skip_authorization",
    )
    view_on_site = False
    actions = ("remove",)

    @staff_action(
        _("Delete with all its tokens"),
        warning=_("It acts for nobody any more, and cannot be brought back."),
    )
    def remove(self, request: HttpRequest, application: Application) -> None:
        applications.delete(application=application, actor=base.acting(request), now=timezone.now())


@admin.register(RefreshToken)
class RefreshTokenAdmin(ReadOnlyAdmin[RefreshToken]):
    """A connection, or what it was before it was renewed."""

    list_display = ("__str__", "user", "application", "created", "revoked")
    list_filter = ("revoked", "created")
    list_select_related = ("user", "application")
    people = ("user",)
    search_fields = ("application__name", "application__client_id__exact")
    exclude = ("token", "token_checksum", "resource")
    actions = ("end",)

    @staff_action(_("End the connection"), warning=_("All tokens of the same consent end."))
    def end(self, request: HttpRequest, token: RefreshToken) -> None:
        applications.end(token=token, actor=base.acting(request), now=timezone.now())


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin[AccessToken]):
    list_display = ("__str__", "user", "application", "scope", "created", "expires")
    list_filter = ("expires", "created")
    list_select_related = ("user", "application")
    people = ("user",)
    search_fields = ("application__name", "application__client_id__exact")
    exclude = ("token", "token_checksum", "id_token", "resource")


@admin.register(Grant)
class GrantAdmin(ReadOnlyAdmin[Grant]):
    """A consent whose code has not been used yet."""

    list_display = ("__str__", "user", "application", "scope", "created", "expires")
    list_select_related = ("user", "application")
    people = ("user",)
    search_fields = ("application__name", "application__client_id__exact")
    exclude = ("code", "code_challenge", "code_challenge_method", "nonce", "claims", "resource")
