"""Addresses of the public internet, and addresses that no request may reach."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA's special-purpose registries, and multicast: what `ipaddress.is_global` lets through as well.
_NOT_PUBLIC_4 = [
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
]
# Of IPv6 only this is handed out to the public, and not all of it: Teredo, ORCHID, benchmarks,
# documentation, 6to4 and AS112 are left out. Mapped and translated IPv4 lies outside of it.
_PUBLIC_6 = ip_network("2000::/3")
_NOT_PUBLIC_6 = [
    ip_network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]
# Where clouds answer any neighbour with credentials, and the prefix of local translators, where an
# IPv4 address can hide in four places. No policy opens these.
_NEVER = [
    ip_network(text)
    for text in (
        "169.254.0.0/16",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "192.0.0.192/32",
        "fe80::/10",
        "fd00:ec2::/32",
        "fd20:ce::/32",
        "fd00:c1::/32",
        "fd00:42::/32",
        "fd00:100::/32",
        "fd00:a9fe:a9fe::/48",
        "64:ff9b:1::/48",
    )
]


def is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address):
        return address in _PUBLIC_6 and not is_in(address, _NOT_PUBLIC_6)
    return not is_in(address, _NOT_PUBLIC_4)


def is_never_reached(address: Address) -> bool:
    """Return whether no policy can open this address, or one that hides in it."""
    return any(is_in(inner, _NEVER) for inner in (address, *_within(address)))


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address in network for network in networks)


def _within(address: Address) -> list[Address]:
    """Return the IPv4 addresses that an IPv6 address may stand for."""
    if not isinstance(address, IPv6Address):
        return []
    found = [address.sixtofour, *(address.teredo or ())]
    if address not in _PUBLIC_6:  # mapped, compatible, translated: at the end of it
        found.append(IPv4Address(int(address) & 0xFFFFFFFF))
    return [inner for inner in found if inner is not None]
