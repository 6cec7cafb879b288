"""Settings: the list of all, and the person's name with their zone and formats of times."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_safe

from accounts.domain import services
from accounts.models import User
from accounts.pages.forms import ProfileForm
from accounts.pages.signed_in import SignedIn
from core.errors import Invalid


@require_safe
@login_required
def settings(request: SignedIn) -> HttpResponse:
    """Show all settings in their groups, and who is signed in."""
    return render(request, "accounts/settings.html")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def profile(request: SignedIn) -> HttpResponse:
    sent = request.POST if request.method == "POST" else None
    form = ProfileForm(sent, initial=ProfileForm.values_of(request.user))
    if form.is_valid() and _saved(form, request.user.pk, form.cleaned_data):
        # The next page is in the language chosen just now, and so is what it says of this one.
        language = form.cleaned_data["language"] or translation.get_language_from_request(request)
        with translation.override(language):
            messages.success(request, gettext("Your profile has been saved."))
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form})


def _saved(form: ProfileForm, user_id: int, values: dict[str, Any]) -> bool:
    """Save the profile. False if that failed; the form then has the reason.

    It changes a copy of the person, so that the page with the error still shows the saved values.
    """
    try:
        services.update_profile(user=User.objects.get(pk=user_id), **values)
    except Invalid as error:
        form.add_error(error.field, error.message)
    except ValidationError as error:
        form.add_error(None, error)
    return not form.errors
