"""Settings: devices that receive push messages."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from accounts.pages.signed_in import SignedIn
from core.web.pages import action_view, page_of


@require_safe
@login_required
def devices(request: SignedIn) -> HttpResponse:
    return render(
        request, "accounts/devices.html", {"page": page_of(request, request.user.devices.all())}
    )


@action_view("accounts:devices")
def remove_device(request: SignedIn, device_id: int) -> str:
    device = get_object_or_404(request.user.devices, pk=device_id)
    device.delete()
    return gettext("%(name)s has been removed.") % {"name": device}
