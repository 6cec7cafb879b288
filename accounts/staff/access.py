"""Staff pages for email addresses, second steps, former usernames, tokens and sessions."""

import allauth.account.admin
import allauth.mfa.admin  # noqa: F401  these register pages of their own
from allauth.account.adapter import get_adapter
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.domain import services, sessions
from accounts.models import ApiToken, FormerUsername, Session
from accounts.staff import base
from accounts.staff.base import ReadOnlyAdmin, staff_action
from core.text import browsers

# The pages of the library change rows without the audit log.
for model in (EmailAddress, Authenticator):
    admin.site.unregister(model)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin[EmailAddress]):
    list_display = ("email", "user", "verified", "primary")
    list_filter = ("verified", "primary")
    list_select_related = ("user",)
    people = ("user",)
    addresses = ("email",)


@admin.register(Authenticator)
class AuthenticatorAdmin(ReadOnlyAdmin[Authenticator]):
    """Second steps of signing in, without their secrets."""

    list_display = ("user", "type", "created_at", "last_used_at")
    list_filter = ("type",)
    list_select_related = ("user",)
    people = ("user",)
    exclude = ("data",)
    actions = ("take_away",)

    @staff_action(
        _("Remove the second step of signing in"),
        warning=_(
            "For somebody who has lost it. Their password alone lets them in from then on; an email"
            " tells them."
        ),
    )
    def take_away(self, request: HttpRequest, authenticator: Authenticator) -> None:
        person = authenticator.user
        Authenticator.objects.filter(user=person).delete()
        get_adapter(request).send_notification_mail("mfa/email/totp_deactivated", person)


@admin.register(FormerUsername)
class FormerUsernameAdmin(ReadOnlyAdmin[FormerUsername]):
    list_display = ("username", "user", "given_up_at")
    list_filter = ("given_up_at",)
    list_select_related = ("user",)
    people = ("user",)
    search_fields = ("username__startswith",)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin[ApiToken]):
    list_display = (
        "name",
        "hint",
        "user",
        "created_at",
        "expires_at",
        "last_used_at",
        "revoked_at",
    )
    list_filter = ("revoked_at", "expires_at", "last_used_at")
    list_select_related = ("user",)
    people = ("user",)
    search_fields = ("name", "hint__exact")
    exclude = ("digest",)
    actions = ("revoke",)

    @staff_action(_("Revoke now"), warning=_("Whatever uses this token is refused from then on."))
    def revoke(self, request: HttpRequest, token: ApiToken) -> None:
        services.revoke_token(token=token, actor=base.acting(request), now=timezone.now())


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin[Session]):
    """Sessions, without their keys and contents."""

    list_display = ("browser", "user", "started_at", "seen_at", "expire_date")
    list_filter = ("seen_at",)
    list_select_related = ("user",)
    ordering = ("-seen_at",)
    people = ("user",)
    exclude = ("session_key", "session_data")
    actions = ("end",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        """Return only people's sessions.

        Visitors have sessions too, for messages on their next page.
        """
        return super().get_queryset(request).filter(user__isnull=False)

    @admin.display(description=_("browser"))
    def browser(self, session: Session) -> str:
        return browsers.in_words(session.agent)

    @staff_action(
        _("Sign out there"), warning=_("The person at that browser has to sign in again.")
    )
    def end(self, request: HttpRequest, session: Session) -> None:
        sessions.end(session=session, actor=base.acting(request), now=timezone.now())
