"""Faults of outside calendars, in words that say how to mend them."""

from django.utils.translation import gettext as _

# The server answers, and does not let the account in.
REFUSED = ("unauthorized", "forbidden")


def in_words(code: str) -> str:
    """Return what an error class means, and what to do. It says nothing of an inner host."""
    words = {
        "unauthorized": _("The server asks for a valid user name and password."),
        "forbidden": _("The server does not let this account do that."),
        "not_found": _("There is nothing at this address."),
        "not_a_calendar": _("There is no calendar at this address, but something else."),
        "invalid_answer": _("The server's answer could not be understood, or it was cut off."),
        "too_large": _("The calendar is larger than 20 MB."),
        "incomplete": _("Some entries could not be read."),
        "too_many": _("There are more entries than can be read."),
        "timeout": _("The server did not answer in time."),
        "refused": _("The server cannot be reached."),
        "dns": _("There is no server of this name."),
        "tls": _("The server's certificate is not valid, or it offers no secure connection."),
        "blocked_address": _("This address is not public."),
        "invalid_url": _(
            "This is no address of a calendar. It begins with https:// and has no user name or"
            " password."
        ),
        "conflict": _("The entry was changed on the server at the same time."),
        "internal": _("Something went wrong on our side. Please try again later."),
    }
    if code.startswith("http_"):
        return _("The server answered with an error (%(status)s).") % {"status": code[5:]}
    return words.get(code, _("The calendar could not be read."))
