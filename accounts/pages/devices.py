"""Settings: devices that receive push messages."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_POST, require_safe

from accounts.pages.signed_in import SignedIn
from core.web.pages import page_of, signed_in_at


@require_safe
@login_required
def devices(request: SignedIn) -> HttpResponse:
    return render(
        request, "accounts/devices.html", {"page": page_of(request, request.user.devices.all())}
    )


@require_POST
@signed_in_at("accounts:devices")
def remove_device(request: SignedIn, device_id: int) -> HttpResponse:
    device = get_object_or_404(request.user.devices, pk=device_id)
    device.delete()
    messages.success(request, gettext("%(name)s has been removed.") % {"name": device})
    return redirect("accounts:devices")
