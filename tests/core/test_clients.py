"""Client addresses: where a request comes from, and which proxies are trusted."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from core.web.clients import address, network


@pytest.mark.parametrize(
    ("peer", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("nowhere", "0.0.0.0"),
    ],
)
def test_a_client_is_counted_by_its_address_or_its_network(peer: str, counted: str) -> None:
    assert network(RequestFactory().get("/", REMOTE_ADDR=peer)) == counted


def seen(forwarded: str | None, peer: str = "10.0.0.1") -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return address(RequestFactory().get("/", headers=headers, REMOTE_ADDR=peer))


@pytest.mark.parametrize("forwarded", [None, "", "192.0.2.7", "192.0.2.7, 192.0.2.8", "junk"])
def test_without_a_trusted_proxy_it_is_whoever_connects(forwarded: str | None) -> None:
    assert seen(forwarded) == "10.0.0.1"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "192.0.2.7", "192.0.2.7"),
        (1, "6.6.6.6, 192.0.2.7", "192.0.2.7"),
        (2, "6.6.6.6, 192.0.2.7, 10.0.0.2", "192.0.2.7"),
        (1, "6.6.6.6, 2001:db8::7", "2001:db8::7"),
        (1, "192.0.2.7:5678", "192.0.2.7"),
        (1, "[2001:db8::7]:443", "2001:db8::7"),
        (1, "::ffff:192.0.2.7", "192.0.2.7"),
        # A client that bypasses the proxies counts by the address of its own connection.
        (1, None, "10.0.0.1"),
        (2, "192.0.2.7", "10.0.0.1"),
    ],
)
def test_behind_proxies_it_is_what_the_outermost_of_them_saw(
    settings: Settings, proxies: int, forwarded: str | None, expected: str
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert seen(forwarded) == expected


@pytest.mark.parametrize("peer", ["", "unknown", "@"])
def test_a_client_without_an_address_is_nowhere(peer: str) -> None:
    assert seen(None, peer) == "0.0.0.0"
