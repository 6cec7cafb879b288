"""Forms of the account pages."""

from allauth.account.forms import SignupForm as AllauthSignupForm
from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.zones import zone_of


class SignupForm(AllauthSignupForm):
    """Name, email, password; the browser adds its zone, which a person can change later."""

    first_name = forms.CharField(label=_("First name"), max_length=80)
    last_name = forms.CharField(label=_("Last name"), max_length=80, required=False)
    timezone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    field_order = ("first_name", "last_name", "email", "password1", "timezone")

    def clean_timezone(self) -> str:
        return str(zone_of(self.cleaned_data["timezone"]))
