"""Staff page of people's pictures."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.domain import pictures
from accounts.models import Picture
from accounts.staff.base import ReadOnlyAdmin, staff_action


@admin.register(Picture)
class PictureAdmin(ReadOnlyAdmin[Picture]):
    list_display = ("user", "created_at")
    list_filter = ("created_at",)
    list_select_related = ("user",)
    people = ("user",)
    exclude = ("data", "digest")
    actions = ("remove",)

    @staff_action(_("Remove this picture"))
    def remove(self, request: HttpRequest, picture: Picture) -> None:
        pictures.remove(user=picture.user)
