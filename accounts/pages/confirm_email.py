"""The link that shows that an email address is somebody's."""

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import ConfirmEmailView
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpResponse


class ConfirmEmail(ConfirmEmailView):  # type: ignore[misc]  # allauth has no types
    """A first address is confirmed by its link alone; a further one while signed in to its account.

    Otherwise anybody could add the address of somebody else, and one careless click of theirs would
    make it part of the wrong account. Looking at the page neither confirms nor signs out.
    """

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            self.object = self.get_object()
        except Http404:
            return self._shown(*args, **kwargs)
        if self._is_first() or self._is_own():
            response: HttpResponse = super().post(*args, **kwargs)
            return response
        if self.request.user.is_authenticated:
            return self._shown(*args, **kwargs)
        return redirect_to_login(self.request.get_full_path())

    def _shown(self, *args: Any, **kwargs: Any) -> HttpResponse:
        response: HttpResponse = self.get(*args, **kwargs)
        return response

    def logout_other_user(self, confirmation: Any) -> None:
        if self.request.method == "POST" and self._is_first():
            super().logout_other_user(confirmation)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        if self.object:
            context |= {
                "account": self.object.email_address.user,
                "is_first": self._is_first(),
                "is_own": self._is_own(),
                "here": self.request.get_full_path(),
            }
        return context

    def _is_first(self) -> bool:
        """Whether nobody can have signed in to this account yet, for want of such an address."""
        others = EmailAddress.objects.filter(user=self.object.email_address.user_id, verified=True)
        return not others.exclude(pk=self.object.email_address.pk).exists()

    def _is_own(self) -> bool:
        return bool(self.request.user.pk == self.object.email_address.user_id)


confirm_email = ConfirmEmail.as_view()
