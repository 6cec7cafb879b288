"""Names of browsers in plain words, from the User-Agent header."""

from django.utils.translation import gettext as _

# What tells it, the first that is there: most of them also claim to be those further down.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Linux", "Linux"),
)
_LONGEST = 60
_UNKNOWN = "Unknown browser"


def in_words(agent: str) -> str:
    """Return a name such as `Chrome on Windows`.

    An unknown agent is returned unchanged, or cut short.
    """
    browser, system = (
        next((name for sign, name in signs if sign in agent), "") for signs in (_BROWSERS, _SYSTEMS)
    )
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    if len(agent) > _LONGEST:
        return f"{agent[:_LONGEST]}…"
    return agent or _("Unknown browser")


def translated(words: str) -> str:
    """Translate an English result of `in_words` into the language of this page."""
    if words == _UNKNOWN:
        return _("Unknown browser")
    browser, _on, system = words.partition(" on ")
    if browser in dict(_BROWSERS).values() and system in dict(_SYSTEMS).values():
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return words
