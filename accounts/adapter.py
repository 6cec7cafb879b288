"""What allauth asks us: how to name a person, and how to send them mail."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.mail import EmailMultiAlternatives
from django.forms import BaseForm
from django.http import HttpRequest
from django.utils import timezone

from accounts import notifications, usernames
from accounts.models import User
from config import clients


class AccountAdapter(DefaultAccountAdapter):
    """Sign-up in our words; every mail through the outbox, so that none is lost."""

    def populate_username(self, request: HttpRequest, user: User) -> None:
        user.username = User.objects.free_username(usernames.from_email(user.email))

    def save_user(
        self, request: HttpRequest, user: User, form: BaseForm, commit: bool = True
    ) -> User:
        user.timezone = form.cleaned_data.get("timezone") or user.timezone
        saved: User = super().save_user(request, user, form, commit)
        return saved

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        message: EmailMultiAlternatives = self.render_mail(
            template_prefix, email, {**context, "request": self.request}
        )
        html = next((str(content) for content, _type in message.alternatives), "")
        notifications.email(
            address=email,
            kind=template_prefix.rpartition("/")[2],
            content={"subject": str(message.subject), "text": str(message.body), "html": html},
            now=timezone.now(),
            user=User.objects.filter(email=email.lower()).first(),
        )

    def get_client_ip(self, request: HttpRequest) -> str:
        return clients.address(request)
