"""Adapter for allauth: the names of new people, their sign-in and their emails."""

from typing import Any
from urllib.parse import urlencode, urlsplit

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress, EmailConfirmation, EmailConfirmationHMAC
from allauth.account.utils import get_next_redirect_url
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.contrib import messages
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from accounts.domain import access, account_mails, services, sessions
from accounts.domain.account_mails import About
from accounts.models import User, usernames
from accounts.pages.readers import reader_of
from core.db import crypto
from core.people import access as lasting_access
from core.people import arrivals
from core.text import times
from core.text.lines import validate_address
from core.web import clients
from notifications.domain import notifications

log = structlog.get_logger(__name__)

_MFA_CONTEXT = "accounts.mfa"
# Key in the session: the session hash of the password with which the sign-in began.
_BEGUN_WITH = "begun_with"
_OF_PASSWORDS = {f"account/email/password_{how}" for how in ("changed", "reset", "set")}
# Emails that anybody can request for an address, with an account or without.
_ASKED_FOR = {
    "account_already_exists": About.ADDRESS,
    "account_made": About.PASSWORD,
    "email_confirmation": About.ADDRESS,
    "email_confirmation_signup": About.ADDRESS,
    "password_reset_key": About.PASSWORD,
    "unknown_account": About.PASSWORD,
}


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up with Parley's own texts.

    Every email goes through the outbox, so that none is lost.
    """

    def clean_email(self, email: str) -> str:
        validate_address(email)
        return email

    def populate_username(self, request: HttpRequest, user: User) -> None:
        user.username = User.objects.free_username(usernames.from_email(user.email))

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        user.timezone = form.cleaned_data.get("timezone") or user.timezone
        user.language = translation.get_language() or ""
        user.date_format, user.time_format = times.formats_of(
            user.language, (user.date_format, user.time_format)
        )
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def get_email_confirmation_url(
        self, request: HttpRequest, emailconfirmation: EmailConfirmation | EmailConfirmationHMAC
    ) -> str:
        """Add the page after the sign-up to the link, so that it works in any browser."""
        url: str = super().get_email_confirmation_url(request, emailconfirmation)
        onward = get_next_redirect_url(request) if request else None
        # A signed link stays readable in it, so that no log line takes it for something else.
        return f"{url}?{urlencode({'next': onward}, safe='/:')}" if onward else url

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Tell whether the password is needed again. A recent sign-in counts like its entry."""
        required: bool = super().is_reauthentication_required(app=app, **kwargs)
        return required and not sessions.is_new(self.request, now=timezone.now())

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Note the password that was entered: a second step may follow minutes later."""
        request.session[_BEGUN_WITH] = user.get_session_auth_hash()
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Sign in, unless the password was changed since the sign-in began."""
        begun_with = request.session.pop(_BEGUN_WITH, None)
        with transaction.atomic():
            person = services.lock(user.pk)
            if begun_with not in (None, person.get_session_auth_hash()):
                raise ImmediateHttpResponse(redirect("account_login"))
            super().login(request, user)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("accounts:access")

    def set_password(self, user: User, password: str) -> None:
        """Change the password and no other column: other values in memory may be old."""
        user.set_password(password)
        with transaction.atomic():
            services.lock(user.pk)
            user.save(update_fields=["password", "updated_at"])
            access.drop_codes(user)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm the address, unless it has been removed meanwhile.

        With the first address a new person arrives.
        """
        with transaction.atomic():
            person = services.lock(email_address.user_id)
            own = EmailAddress.objects.filter(user=person)
            if not own.filter(pk=email_address.pk).exists():
                return False
            is_first = not own.filter(verified=True).exists()
            is_confirmed = bool(super().confirm_email(request, email_address))
            if is_first and is_confirmed:
                arrivals.arrive(person_id=person.pk, now=timezone.now())
            return is_confirmed

    def should_send_confirmation_mail(
        self, request: HttpRequest, email_address: EmailAddress, signup: bool
    ) -> bool:
        """Send the link again at a sign-in with an unconfirmed address, within the limit."""
        now, reader = timezone.now(), reader_of(request)
        problem = account_mails.refusal(email_address.email, About.ADDRESS, now=now, reader=reader)
        if problem and not signup:  # the form to sign up has asked
            messages.error(request, problem)
            return False
        return True

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        """Send the link to set a password.

        A person whom staff have added has no password yet and may not know of the account. They get
        an email of their own.
        """
        kind = "password_reset_key" if user.has_usable_password() else "account_made"
        self.send_mail(f"account/email/{kind}", email, context)

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        about = {**(context or {}), "user": user}
        if template_prefix in _OF_PASSWORDS:
            about["lasting"] = lasting_access.lasting(person_id=user.pk, now=timezone.now())
        super().send_notification_mail(template_prefix, user, about, email)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send the email, unless the mailbox has had too many.

        Forms check this before; here it matters for requests at the same time.
        """
        kind, now = template_prefix.rpartition("/")[2], timezone.now()
        about = _ASKED_FOR.get(kind)
        if about and not account_mails.take(email, about, now=now):
            log.info("mailbox_full", kind=kind)
            return
        links = {name: _public(url) for name, url in context.items() if name.endswith("_url")}
        user = context.get("user") or User.objects.filter(email=email.lower()).first()
        # A person without a language of their own gets the language of this page.
        with translation.override((user and user.language) or translation.get_language()):
            message: EmailMultiAlternatives = self.render_mail(
                template_prefix,
                email,
                {
                    **context,
                    **links,
                    "email": email,
                    "greeting": _greeting(user, email),
                    "request": self.request,
                    "public_url": settings.PUBLIC_URL,
                },
            )
        html = next((str(content) for content, _type in message.alternatives), "")
        with transaction.atomic():
            if user is not None and services.lock_kept(user.pk) is None:
                return  # the account has been deleted meanwhile
            row = notifications.written(
                kind,
                {"subject": str(message.subject), "text": str(message.body), "html": html},
                address=email,
                user=user,
            )
            notifications.enqueue([row], now=now)

    def get_client_ip(self, request: HttpRequest) -> str:
        return clients.address(request)


def _greeting(user: User | None, email: str) -> str:
    """Greet by name only at a confirmed address: a stranger may have typed both."""
    confirmed = EmailAddress.objects.filter(user=user, email__iexact=email, verified=True)
    if user is None or not confirmed.exists():
        return gettext("Hello,")
    return gettext("Hello %(short_name)s,") % {"short_name": user.get_short_name()}


def _public(url: str) -> str:
    """Move a link to our own host. allauth uses the Host header, which a client can make up."""
    return settings.PUBLIC_URL + urlsplit(url)._replace(scheme="", netloc="").geturl()


class MfaAdapter(DefaultMFAAdapter):
    """An adapter that keeps the secrets of authenticator apps and recovery codes encrypted."""

    def encrypt(self, text: str) -> str:
        return crypto.encrypt(text, context=_MFA_CONTEXT)

    def decrypt(self, encrypted_text: str) -> str:
        return crypto.decrypt(encrypted_text, context=_MFA_CONTEXT)
