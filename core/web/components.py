"""A page that shows the components of pages, for developers of new pages."""

from datetime import UTC, timedelta

from django import forms
from django.conf import settings
from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

TEXTS = ("xs", "s", "m", "l", "xl", "2xl", "display")
SPACES = range(1, 9)
RADII = ("s", "m", "l", "round")
GROUNDS = ("paper", "surface", "sunk")
INKS = ("ink", "muted", "accent", "accent-strong", "good", "wait", "bad", "done", "still")
TINTS = ("good", "wait", "bad", "done", "still")
_LEVELS = (constants.SUCCESS, constants.INFO, constants.WARNING, constants.ERROR)


class _Reader:
    """A sample person who reads times."""

    zone, date_format, time_format = UTC, "yyyy-MM-dd", "HH:mm"


class _Sample(forms.Form):
    filled = forms.CharField(label="A text", initial="Something", help_text="What it is good for.")
    wrong = forms.EmailField(label="One that is wrong")
    optional = forms.CharField(
        label="A longer one", required=False, widget=forms.Textarea({"rows": 2})
    )
    hidden = forms.CharField(label="A password", widget=forms.PasswordInput)
    chosen = forms.ChoiceField(label="A choice", choices=[("a", "This one"), ("b", "That one")])


@require_safe
def components(request: HttpRequest) -> HttpResponse:
    """Show each component with its name, its states and its use.

    Only staff, or DEBUG, may see it.
    """
    if not (settings.DEBUG or request.user.is_staff):
        raise Http404
    now = timezone.now()
    start = now.replace(minute=0) + timedelta(days=1)
    form = _Sample({"filled": "Something", "wrong": "somebody@", "hidden": "secret", "chosen": "b"})
    form.is_valid()
    return render(
        request,
        "components.html",
        {
            "texts": TEXTS,
            "spaces": SPACES,
            "radii": RADII,
            "grounds": GROUNDS,
            "inks": INKS,
            "tints": TINTS,
            "form": form,
            "examples": [Message(level, "So it went, in a sentence.") for level in _LEVELS],
            "start": start,
            "end": start + timedelta(hours=1),
            "reader": _Reader(),
            "page": Paginator(range(60), 20).page(2),
            "now": now,
        },
    )
