"""OAuth redirect URIs: which ones an application can register."""

import pytest

from accounts.domain.redirect_uris import allowed, form_action, host_of, problem_with

WHOLE = "Write a full address such as https://example.com/callback."
HTTPS = "Use https. Plain http is only for programs on one’s own computer (127.0.0.1)."
FRAGMENT = "A redirect URI has no fragment (#…)."
STAR = "Write each address in full. Wildcards (*) are not supported."


@pytest.mark.parametrize(
    "uri",
    [
        "https://example.com",
        "https://example.com/",
        "https://example.com:8443/a/b?c=d&e=%2F",
        "https://[2001:db8::1]/callback",
        "http://127.0.0.1/callback",
        "http://127.0.0.1:8000/callback",
        "http://[::1]:8000/callback",
        "http://localhost:8000/callback",
    ],
)
def test_these_can_be_registered(uri: str) -> None:
    assert problem_with(uri) == ""


@pytest.mark.parametrize(
    ("uri", "problem"),
    [
        ("", WHOLE),
        ("example.com/callback", WHOLE),
        ("//example.com/callback", WHOLE),
        ("https:/example.com", WHOLE),
        ("https:///example.com", WHOLE),
        ("https://user@example.com/", WHOLE),
        ("https://user:word@example.com/", WHOLE),
        ("https://example.com:0/", WHOLE),
        ("https://example.com:99999/", WHOLE),
        ("https://exa mple.com/", WHOLE),
        ("https://example.com/\\evil", WHOLE),
        ("https://example.com/\n", WHOLE),
        ("https://example.com/é", WHOLE),
        ("https://example.com;script-src/", WHOLE),
        ("https://example.com/" + "x" * 500, WHOLE),
        ("javascript:alert(1)", WHOLE),
        ("data:text/html,hello", WHOLE),
        ("com.example.app:/callback", WHOLE),
        ("HTTPS://example.com/", WHOLE),
        ("http://example.com/", HTTPS),
        ("http://127.0.0.1.example.com/", HTTPS),
        ("http://127.0.0.2/", HTTPS),
        ("http://localhost.example.com/", HTTPS),
        ("https://example.com/#", FRAGMENT),
        ("https://example.com/#there", FRAGMENT),
        ("https://*.example.com/", STAR),
        ("https://example.com/*", STAR),
    ],
)
def test_these_cannot(uri: str, problem: str) -> None:
    assert problem_with(uri) == problem


@pytest.mark.parametrize(
    ("uri", "registered", "is_allowed"),
    [
        ("https://example.com/a", "https://example.com/a", True),
        ("https://example.com/a", "https://example.com/A", False),
        ("https://example.com:1/a", "https://example.com:2/a", False),
        ("http://127.0.0.1:1/a", "http://127.0.0.1:2/a", True),
        ("http://127.0.0.1:1/a", "http://127.0.0.1/a", True),
        ("http://127.0.0.1/a", "http://127.0.0.1:2/a", True),
        ("http://127.0.0.1:1/b", "http://127.0.0.1:2/a", False),
        ("http://127.0.0.1:1?a", "http://127.0.0.1:2?a", True),
        ("http://[::1]:1/a", "http://[::1]:2/a", True),
        ("http://[::1]:1/a", "http://127.0.0.1:1/a", False),
        ("http://localhost:1/a", "http://localhost:2/a", False),
        ("http://127.0.0.1:99999/a", "http://127.0.0.1/a", False),
        ("https://127.0.0.1:1/a", "https://127.0.0.1:2/a", False),
    ],
)
def test_only_of_a_loopback_address_the_port_is_free(
    uri: str, registered: str, is_allowed: bool
) -> None:
    assert allowed(uri, [registered]) == is_allowed


@pytest.mark.parametrize(
    ("uri", "host", "source"),
    [
        ("https://example.com:8443/a", "example.com", "https://example.com:8443"),
        ("http://127.0.0.1:8000/a", "", "http://127.0.0.1:8000"),
        ("http://localhost:8000/a", "", "http://localhost:8000"),
        ("http://[::1]:8000/a", "", "http:"),
    ],
)
def test_a_page_names_the_host_and_its_policy_the_origin(uri: str, host: str, source: str) -> None:
    assert (host_of(uri), form_action(uri)) == (host, source)
