"""Servers of calendars that may be reached."""

from ipaddress import ip_network

import pytest
from pytest_django import Settings

from calendars.providers.policy import policy
from core.web import guarded_http


def refusal(url: str) -> str:
    """Return the code of the refusal, or an empty text if the URL is accepted."""
    try:
        guarded_http.check(url, policy())
    except guarded_http.SendError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://93.184.216.34/dav/", ""),
        ("https://93.184.216.34:8443/dav/", ""),
        ("https://93.184.216.34:5232/dav/", "invalid_url"),
        ("http://93.184.216.34/dav/", "invalid_url"),
        ("https://10.1.0.7/dav/", "blocked_address"),
    ],
)
def test_public_servers_are_reached_by_https(url: str, code: str) -> None:
    assert refusal(url) == code


def test_an_operator_opens_networks_and_ports(settings: Settings) -> None:
    settings.CALENDAR_ALLOWED_NETWORKS = [ip_network("10.1.0.0/16"), ip_network("169.254.0.0/16")]
    settings.CALENDAR_PORTS = [443, 5232]
    assert refusal("http://10.1.0.7:5232/dav/") == ""
    assert refusal("http://10.2.0.7:5232/dav/") == "blocked_address"
    assert refusal("https://93.184.216.34:5232/dav/") == ""
    assert refusal("https://93.184.216.34:8443/dav/") == "invalid_url"
    # Where clouds give out credentials: no setting opens it.
    assert refusal("http://169.254.169.254/latest/") == "blocked_address"
