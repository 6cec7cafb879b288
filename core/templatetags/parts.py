"""Parts of pages that hold other parts: `{% reveal %}` and `{% empty_state %}`."""

from typing import Any

from django import template
from django.template import Context, Engine
from django.urls import reverse
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_block_tag(takes_context=True)
def reveal(
    context: Context,
    content: str,
    summary: str,
    page: str = "",
    *keys: object,
    action: str = "",
    about: str = "",
    button: str = "",
    is_open: bool = False,
    is_quiet: bool = False,
) -> SafeString:
    """Show a button that reveals a form; the content is what stands in the form.

    The form is posted to the view `page` with these keys, or to the address `action`. `about` tells
    people who cannot see which of several rows the button belongs to. `button` is the text of the
    button that does it; without it the content has its own.
    """
    return _part(
        context,
        "parts/reveal.html",
        summary=summary,
        action=reverse(page, args=keys) if page else action,
        about=about,
        body=content,
        button=button,
        is_open=is_open,
        is_quiet=is_quiet,
    )


@register.simple_block_tag(takes_context=True)
def empty_state(context: Context, content: str, title: str, hint: str = "") -> SafeString:
    """Show that a list is empty; the content is what one can do about it, such as a button."""
    return _part(context, "parts/empty_state.html", title=title, hint=hint, body=content)


def _part(context: Context, name: str, **values: Any) -> SafeString:
    part = Engine.get_default().get_template(name)
    return part.render(context.new(values | {"csrf_token": context.get("csrf_token")}))
