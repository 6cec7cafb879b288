"""The link that shows that an email address is somebody's."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.utils import perform_login
from allauth.account.views import ConfirmEmailView
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse
from django.utils.translation import gettext

from accounts.pages.forms import SIGNED_UP
from core.web.pages import limited


class ConfirmEmail(ConfirmEmailView):  # type: ignore[misc]  # allauth has no types
    """Confirm a first address with the account's password, a further one while signed in to it.

    Without that anybody could sign up with, or add, the address of somebody else, and one careless
    click of theirs would make it part of the wrong account. The browser in which the account was
    made needs no password. Looking at the page neither confirms nor signs out.

    Confirming a first address signs in: the link shows whose mailbox it is, the browser or the
    password who made the account. In the browser of the sign-up a script sends the form at once.
    """

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.object = self.get_object()
        except Http404:
            return self._shown(*args, **kwargs)
        if self._is_own():
            response: HttpResponse = super().post(*args, **kwargs)
            return response
        if self._is_first() and self._is_theirs():
            return self._admitted(*args, **kwargs)
        if self._is_first() or self.request.user.is_authenticated:
            return self._shown(*args, **kwargs)
        return redirect_to_login(self.request.get_full_path())

    def _shown(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = self.get(*args, **kwargs)
        return response

    def _admitted(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Confirm the address and sign its person in. Show the page again if it is taken by now."""
        if not self.object.confirm(self.request):
            return self._shown(*args, **kwargs)
        super().logout_other_user(self.object)
        self.request.session.pop(SIGNED_UP, None)
        response: HttpResponse = perform_login(
            self.request,
            self.object.email_address.user,
            redirect_url=self.get_next_url(),
            signup=True,
        )
        return response

    def logout_other_user(self, confirmation: Any) -> None:
        """Sign nobody out who only looks at the page."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if self.object:
            is_first, is_asked = self._is_first(), self.request.method == "POST"
            is_here = is_first and self._is_here() and not self.request.user.is_authenticated
            context |= {
                "account": self.object.email_address.user,
                "is_first": is_first,
                "is_own": self._is_own(),
                "needs_password": is_first and not self._is_own() and not self._is_here(),
                "is_sent_at_once": is_here and not is_asked,
                "here": self.request.get_full_path(),
            }
            if self.request.POST.get("password"):
                context["problem"] = gettext("This is not the password of that account.")
            elif is_asked:
                context["problem"] = gettext("Type the password of that account.")
        return context

    def _is_first(self) -> bool:
        """Tell whether nobody can have signed in to this account yet, for want of an address."""
        others = EmailAddress.objects.filter(user=self.object.email_address.user_id, verified=True)
        return not others.exclude(pk=self.object.email_address.pk).exists()

    def _is_own(self) -> bool:
        return bool(self.request.user.pk == self.object.email_address.user_id)

    def _is_here(self) -> bool:
        """Tell whether the account was made in this browser."""
        return bool(self.request.session.get(SIGNED_UP) == self.object.email_address.user_id)

    def _is_theirs(self) -> bool:
        password = self.request.POST.get("password", "")
        return self._is_here() or (
            bool(password) and self.object.email_address.user.check_password(password)
        )


confirm_email: Callable[..., HttpResponse] = limited("ip", "30/10m", ["POST"])(
    ConfirmEmail.as_view()
)
