"""Settings: export of the person's data, and deletion of the account."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.domain import audit, services
from accounts.domain.audit import Action
from accounts.pages.forms import DeleteAccountForm
from accounts.pages.signed_in import SignedIn, recent_sign_in
from accounts.privacy import is_last_superuser
from core.errors import Conflict
from core.people import privacy
from core.web.pages import limited, signed_in_at


@require_safe
@login_required
def data(request: SignedIn) -> HttpResponse:
    return render(request, "accounts/data.html", {"part": "data", "days": settings.RETENTION_DAYS})


@require_POST
@signed_in_at("accounts:data")
@recent_sign_in("accounts:data")
@limited("user", "10/h", ["POST"])
def export(request: SignedIn) -> HttpResponseBase:
    """Answer with all data of the person. It is stored nowhere else."""
    now = timezone.now()
    with transaction.atomic():
        services.lock(request.user.pk)
        audit.record(Action.DATA_EXPORTED, person=request.user, actor=request.user, now=now)
    archive = privacy.archive(person_id=request.user.pk, now=now)
    name = f"parley-{request.user.username}-{now:%Y-%m-%d}.zip"
    return FileResponse(archive, as_attachment=True, filename=name, content_type="application/zip")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@limited("user", "10/h", ["POST"])
def delete_account(request: SignedIn) -> HttpResponse:
    """Show the effects of deleting the account, and delete it after a confirmation."""
    now = timezone.now()
    form = DeleteAccountForm(
        request.POST if request.method == "POST" else None, person=request.user
    )
    if form.is_valid():
        try:
            privacy.erase(person_id=request.user.pk, now=now)
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("accounts:delete_account")
        # Not signed out, since that would be on record: the session is simply no more.
        request.session.flush()
        messages.success(request, gettext("Your account is deleted. An email confirms it."))
        return redirect("meetings:home")
    context = {
        "part": "data",
        "form": form,
        "consequences": privacy.consequences(person_id=request.user.pk, now=now),
        "is_last_superuser": is_last_superuser(request.user),
    }
    return render(request, "accounts/delete_account.html", context)
