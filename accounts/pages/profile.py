"""Settings: the list of all, and the person's picture, name, zone and formats of times."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain import pictures, services
from accounts.models import User
from accounts.pages.forms import ProfileForm
from accounts.pages.signed_in import SignedIn
from core.errors import Busy, Invalid
from core.web.pages import action_view, limited, signed_in_at


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
    return _shown(request, form)


def _shown(request: SignedIn, form: ProfileForm, picture_error: str = "") -> HttpResponse:
    context = {"form": form, "picture_error": picture_error, "most_bytes": pictures.MOST_BYTES}
    return render(request, "accounts/profile.html", context)


@require_POST
@signed_in_at("accounts:profile")
@limited("user", "30/h", ["POST"])
def upload_picture(request: SignedIn) -> HttpResponse:
    """Take a picture, and show the profile with what is wrong with it."""
    file = request.FILES.get("picture")
    try:
        if file is None:
            raise Invalid(gettext("Choose a picture first."))
        if (file.size or 0) > pictures.MOST_BYTES:
            raise Invalid(pictures.too_large())
        pictures.keep(user=request.user, data=file.read(), now=timezone.now())
    except (Busy, Invalid) as error:
        return _shown(
            request, ProfileForm(initial=ProfileForm.values_of(request.user)), error.message
        )
    messages.success(request, gettext("Your picture has been saved."))
    return redirect("accounts:profile")


@action_view("accounts:profile")
def remove_picture(request: SignedIn) -> str:
    pictures.remove(user=request.user)
    return gettext("Your picture has been removed.")


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
