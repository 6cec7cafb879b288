"""Hostile webhook URLs: no connection to a forbidden address is tried, recorded at the socket.

Each URL goes through everything that takes or uses one: create and update by the API, a test send,
a delivery with its retry, and one that is sent again.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, ip_network
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from core.db.outbox import OutboxState
from tests import factories
from tests.delivering import deliver_due
from tests.webhooks.receivers import no_way_out
from webhooks.domain import delivery
from webhooks.models import Attempt, Delivery, Webhook

# --- the tables -------------------------------------------------------------------------------


def words(text: str) -> list[str]:
    return text.split()


# Of every block that is not for the public.
PRIVATE = words("""
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.0.1 172.16.0.1
    172.31.255.254 192.0.0.1 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.1.1
    192.175.48.1 198.18.0.1 198.19.255.254 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250
    240.0.0.1 255.255.255.255
""")
# Where clouds tell secrets: AWS and most, Alibaba, Azure, Oracle, ECS, EKS, Tencent, Scaleway.
METADATA = words("""
    169.254.169.254 100.100.100.200 168.63.129.16 192.0.0.192
    169.254.170.2 169.254.170.23 169.254.0.23 169.254.42.42
""")
METADATA_6 = words("""
    fd00:ec2::254 fd00:ec2::23 fd20:ce::254 fd00:c1::a9fe:a9fe fd00:42::42 fe80::a9fe:a9fe
    fd00:a9fe:a9fe::1 fd00:100::100:200 fd12::a9fe:a9fe fd12::5efe:a9fe:a9fe
""")
# Other blocks of IPv6, and other spellings.
PRIVATE_6 = words("""
    :: ::1 0:0:0:0:0:0:0:1 0000:0000:0000:0000:0000:0000:0000:0001 ::127.0.0.1 100::1 100:0:0:1::1
    2001::1 2001:2::1 2001:3::1 2001:4:112::1 2001:10::1 2001:20::1 2001:30::1 2001:db8::1
    2002:7f00:1:: 2620:4f:8000::1 3fff::1 3FFF:FFF::1 4000::1 5f00::1 64:ff9b:1::1 64:ff9b:2::1
    fc00::1 fd00::1 fdff::1 fe80::1 febf::1 fec0::1 feff::1 ff01::1 ff02::1 ff05::2 ff0e::1
""")

Spelling = Callable[[int], str]


def _octets(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _dotted(number: int, form: str, dot: str = ".") -> str:
    return dot.join(format(octet, form) for octet in _octets(number))


def _moved(number: int, first: int) -> str:
    """Return the dotted address with other digits for 0 to 9. 0xFF10 starts the full-width ones."""
    return _dotted(number, "d").translate({48 + digit: first + digit for digit in range(10)})


# An IPv4 address as a host of a URL.
SPELLINGS: dict[str, Spelling] = {
    "usual": lambda n: _dotted(n, "d"),
    "with the dot of the root": lambda n: _dotted(n, "d") + ".",
    "with two": lambda n: _dotted(n, "d") + "..",
    "a number": str,
    "a number with a dot": lambda n: f"{n}.",
    "one too large": lambda n: str(n + 2**32),
    "hexadecimal": hex,
    "in upper case": lambda n: f"0X{n:X}",
    "padded": lambda n: f"0x{n:016x}",
    "octal": lambda n: f"0{n:o}",
    "of two numbers": lambda n: f"{n >> 24}.{n & 0xFFFFFF}",
    "of three": lambda n: f"{n >> 24}.{n >> 16 & 255}.{n & 0xFFFF}",
    "of five": lambda n: _dotted(n, "d") + ".1",
    "hexadecimal octets": lambda n: _dotted(n, "#x"),
    "octal octets": lambda n: _dotted(n, "04o"),
    "long octal octets": lambda n: _dotted(n, "012o"),
    "mixed": lambda n: f"0x{n >> 24:x}.0{n >> 16 & 255:o}.{n & 0xFFFF}",
    "with zeros before": lambda n: _dotted(n, "03d"),
    "full-width digits": lambda n: _moved(n, 0xFF10),
    "mathematical digits": lambda n: _moved(n, 0x1D7CE),
    "ideographic dots": lambda n: _dotted(n, "d", "\u3002"),
    "full-width dots": lambda n: _dotted(n, "d", "\uff0e"),
    "escaped dots": lambda n: _dotted(n, "d", "%2e"),
    "escaped": lambda n: "".join(f"%{ord(digit):02x}" for digit in _dotted(n, "d")),
    "bracketed": lambda n: f"[{_dotted(n, 'd')}]",
    "of a later version": lambda n: f"[v1.{_dotted(n, 'd')}]",
    "with a soft hyphen": lambda n: _dotted(n, "d", ".\u00ad"),
    "with a tab": lambda n: _dotted(n, "d", ".\t"),
    "with a line end": lambda n: _dotted(n, "d") + "\n",
    "with a null": lambda n: _dotted(n, "d") + "\0.example.com",
    "with a space": lambda n: _dotted(n, "d") + " .example.com",
}
SPELT = ["127.0.0.1", "10.0.0.1", "169.254.169.254"]


def _halves(number: int) -> str:
    return f"{number >> 16:x}:{number & 0xFFFF:x}"


def _across(number: int, before: int) -> str:
    """Return an address as RFC 6052 writes it after 48 or 64 bits.

    It skips the octet after bit 64.
    """
    whole = number << 24 if before == 64 else (number >> 16 << 64) | ((number & 0xFFFF) << 40)
    return "64:ff9b:1:" + ":".join(f"{whole >> shift & 0xFFFF:x}" for shift in range(64, -16, -16))


# An IPv4 address inside of one of IPv6.
EMBEDDINGS: dict[str, Spelling] = {
    "mapped": lambda n: f"::ffff:{_dotted(n, 'd')}",
    "mapped, in hexadecimal": lambda n: f"::FFFF:{_halves(n)}",
    "mapped, in full": lambda n: f"0:0:0:0:0:ffff:{_halves(n)}",
    "compatible": lambda n: f"::{_dotted(n, 'd')}",
    "translated": lambda n: f"::ffff:0:{_halves(n)}",
    "NAT64": lambda n: f"64:ff9b::{_dotted(n, 'd')}",
    "local NAT64": lambda n: f"64:ff9b:1::{_halves(n)}",
    "local NAT64 of 48 bits": lambda n: _across(n, 48),
    "local NAT64 of 64 bits": lambda n: _across(n, 64),
    "6to4": lambda n: f"2002:{_halves(n)}::1",
    "Teredo": lambda n: f"2001:0:cb00:7101:0:0:{_halves(n ^ 0xFFFFFFFF)}",
    "Teredo's server": lambda n: f"2001:0:{_halves(n)}::",
    "ISATAP": lambda n: f"fe80::5efe:{_halves(n)}",
}

# Names of the inside, and of the outside with an address of the inside.
NAMES = {
    "localhost": "127.0.0.1",
    "LOCALHOST": "127.0.0.1",
    "localhost.": "127.0.0.1",
    "a.localhost": "127.0.0.1",
    "localhost.localdomain": "127.0.0.1",
    "ip6-localhost": "::1",
    "printer.local": "192.168.1.9",
    "router.lan": "192.168.1.1",
    "nas.home.arpa": "192.168.1.5",
    "vault.internal": "10.0.0.9",
    "redis": "172.17.0.2",
    "postgres": "172.17.0.3",
    "host.docker.internal": "192.168.65.2",
    "kubernetes.default.svc": "10.96.0.1",
    "kubernetes.default.svc.cluster.local": "10.96.0.1",
    "consul.service.consul": "10.0.0.2",
    "_gateway": "192.168.1.1",
    "wpad": "192.168.1.2",
    "intranet.corp": "10.1.1.1",
    "localtest.me": "127.0.0.1",
    "lvh.me": "127.0.0.1",
    "127.0.0.1.nip.io": "127.0.0.1",
    "10-0-0-1.sslip.io": "10.0.0.1",
    "7f000001.c0a80001.rbndr.us": "192.168.0.1",
    "six.example.com": "fd00::1",
    "mapped.example.com": "::ffff:127.0.0.1",
    "nat64.example.com": "64:ff9b::7f00:1",
    "zero.example.com": "0.0.0.0",
    "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ": "127.0.0.1",
    "ｌocalhost": "127.0.0.1",
    "loc\u00adalhost": "127.0.0.1",
    "①②⑦.0.0.1.example.com": "127.0.0.1",
    "xn--ls8h.example.com": "127.0.0.1",
}
METADATA_NAMES = {
    "metadata.google.internal": "169.254.169.254",
    "metadata": "169.254.169.254",
    "metadata.goog": "169.254.169.254",
    "metadata.google.internal.": "169.254.169.254",
    "instance-data": "169.254.169.254",
    "instance-data.ec2.internal": "169.254.169.254",
    "metadata.tencentyun.com": "169.254.0.23",
    "metadata.platformequinix.com": "169.254.169.254",
    "api.metadata.cloud.ibm.com": "169.254.169.254",
    "metadata.azure.internal": "168.63.129.16",
    "169.254.169.254.nip.io": "169.254.169.254",
    "a9fea9fe.rbndr.us": "169.254.169.254",
    "mapped.metadata.example.com": "::ffff:a9fe:a9fe",
    "six.metadata.example.com": "fd00:ec2::254",
    "nat64.metadata.example.com": "64:ff9b::a9fe:a9fe",
    "alibaba.example.com": "100.100.100.200",
    "scoped.example.com": "fe80::a9fe:a9fe%eth0",
}

SCHEMES = words("""
    http HTTP file ftp gopher dict ldap tftp sftp ssh telnet smtp imap redis ws wss data javascript
    jar netdoc php phar unix view-source httpss ttps httpſ
""")
PORTS = words("""
    0 00 1 21 22 23 25 53 80 110 111 135 139 445 2375 3306 5432 5601 6379 8000 8080 9200 10250 11211
    27017 65536 65979 4294967739 -443 +443 443.0 0x1bb ４４３ ٤٤٣ 443,80 443:80 44a
""")
USERS = [
    "user",
    "user:password",
    ":",
    "",
    "example.com",
    "example.com:443",
    "a%40b",
    "a:b:c",
    "%00",
]
ODD = [
    "",
    " ",
    "https",
    "https:",
    "https:/",
    "https://",
    "https:///",
    "https://?",
    "https://#",
    "//127.0.0.1/",
    "/127.0.0.1",
    "127.0.0.1",
    "127.0.0.1:443",
    "example.com",
    "example.com:443",
    "https:127.0.0.1",
    "https:/127.0.0.1/",
    "https:///127.0.0.1/",
    "https:////127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "https:/\\127.0.0.1/",
    "https://\\127.0.0.1/",
    "https://127.0.0.1\\",
    "https://example.com\\@127.0.0.1/",
    "https://127.0.0.1\\@example.com/",
    "https://127.0.0.1#@example.com/",
    "https://127.0.0.1?@example.com/",
    "https://example.com@127.0.0.1:443@example.com/",
    "https://example.com,127.0.0.1/",
    "https://example.com;127.0.0.1/",
    "https://example.com:443@127.0.0.1/",
    "https://.127.0.0.1/",
    "https://127.0.0.1%00.example.com/",
    "https://127.0.0.1%23.example.com/",
    "https://127.0.0.1%2f.example.com/",
    "https://example.com%2f@127.0.0.1/",
    "https://exam\tple.com/",
    "https://exam\nple.com/",
    "https://example.com\r\nHost: 127.0.0.1/",
    "https://example.com/\r\nX-A: b",
    "https://example.com/ HTTP/1.1",
    "https://example.com/a b",
    "https://example.com/é",
    "https://example.com/\u2028a",
    "https://example.com/\x7f",
    "https://[::1",
    "https://::1/",
    "https://::1]/",
    "https://[]/",
    "https://[:]/",
    "https://[[::1]]/",
    "https://[::1].example.com/",
    "https://example.com[::1]/",
    "https://[example.com]/",
    "https://[::1%25eth0]/",
    "https://[fe80::1%25lo]/",
    "https://[fe80::1%lo]/",
    "https://[::1]]/",
    "https://[::1]a/",
    "https://[::1]:443:443/",
    "https://[::g]/",
    "https://[:::1]/",
    "https://1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0/",
    "https://0x/",
    "https://00/",
    "https://0x0/",
    "https://0.0/",
    "https://256.256.256.256/",
    "https://1.2.3/",
    "https://1.2.3.4.5/",
    "https://example.0x7f/",
    "https://example.127/",
    "https://-example.com/",
    "https://a..b.com/",
    "https://example.com:/",
    "https://:443/",
    "https://:@/",
    "https://@/",
    "https://*/",
    "https://%/",
    "https://" + "a" * 64 + ".com/",
    "https://!/",
    "https://" + "a." * 127 + "com/",
    "https://example.com/" + "a" * 2_000,
    "https://$(id).com/",
]


def https(host: str, port: str = "") -> str:
    return f"https://{host}{port}/hook"


def number(address: str) -> int:
    return int(IPv4Address(address))


NUMBERS = [number(address) for address in SPELT]
WRITTEN = {
    "private": [https(address) for address in PRIVATE],
    "metadata": [https(one) for one in METADATA] + [https(f"[{one}]") for one in METADATA_6],
    "spelt": [https(spell(one)) for one in NUMBERS for spell in SPELLINGS.values()],
    "private of IPv6": [https(f"[{address}]") for address in PRIVATE_6],
    "embedded": [https(f"[{put(one)}]") for one in NUMBERS for put in EMBEDDINGS.values()],
    "schemes": [f"{scheme}://example.com/" for scheme in SCHEMES],
    "ports": [https("example.com", f":{port}") for port in PORTS],
    "users": [f"https://{user}@{host}/" for user in USERS for host in ("example.com", "10.0.0.1")],
    "odd": ODD,
}
_METADATA = [number(address) for address in METADATA[:2]]
TO_METADATA = {
    "spelt": [f"http://{spell(one)}/" for one in _METADATA for spell in SPELLINGS.values()],
    "embedded": [f"http://[{put(one)}]/" for one in _METADATA for put in EMBEDDINGS.values()],
    "usual": [f"http://{address}:8000/" for address in METADATA],
    "of IPv6": [f"http://[{address}]:8000/" for address in METADATA_6],
}
WIDE_OPEN = [ip_network("0.0.0.0/0"), ip_network("::/0")]


def test_there_are_enough_of_them() -> None:
    written = {url for table in WRITTEN.values() for url in table}
    to_metadata = {url for table in TO_METADATA.values() for url in table}
    assert len(written) >= 300
    assert len(to_metadata) >= 100
    assert len({*NAMES, *METADATA_NAMES}) >= 45


# --- through the product ----------------------------------------------------------------------


@pytest.fixture
def wanted(api: Client) -> Iterator[list[Any]]:
    """Yield the list of attempted connections. The API has opened its own ones before."""
    api.get("/api/v1/webhooks")
    with no_way_out() as wanted:
        yield wanted


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the resolver: it knows each hostile name and its address, without a network."""
    known = {name.lower().removesuffix("."): to for name, to in (NAMES | METADATA_NAMES).items()}
    usual = delivery.policy
    monkeypatch.setattr(
        delivery, "policy", lambda: replace(usual(), resolve=lambda name, _port: [known[name]])
    )


def body_of(url: str) -> dict[str, Any]:
    return {"name": "Hostile", "url": url, "events": ["booking.created"], "max_retries": 1}


def try_to_store(api: Client, stored: Webhook, url: str) -> tuple[list[str], list[str]]:
    """Try to create a webhook and to change this one. Return the refused fields of both."""
    created = api.post("/api/v1/webhooks", body_of(url), content_type="application/json")
    changed = api.patch(
        f"/api/v1/webhooks/{stored.pk}", {"url": url}, content_type="application/json"
    )
    made, kept = (
        [detail["field"] for detail in answer.json().get("details", [])]
        for answer in (created, changed)
    )
    return made, kept


def try_to_reach(api: Client, stored: Webhook, url: str) -> set[str]:
    """Send everything that a stored webhook with this URL gets. Return the errors."""
    Webhook.objects.filter(pk=stored.pk).update(url=url)
    stored.refresh_from_db()
    path = f"/api/v1/webhooks/{stored.pk}"
    errors = {api.post(f"{path}/test").json()["delivery"]["error"]}
    waiting = factories.delivery(stored, now=timezone.now())
    attempts = Attempt.objects.filter(delivery=waiting)
    for count in (1, 2):
        Delivery.objects.filter(pk=waiting.pk).update(due_at=timezone.now())
        assert deliver_due() == 1
        assert attempts.count() == count
    waiting.refresh_from_db()
    assert waiting.state == OutboxState.FAILED  # its one retry is used up
    api.post(f"{path}/deliveries/{waiting.uuid}/redeliver")
    assert deliver_due() == 1
    assert attempts.count() == 3
    Delivery.objects.filter(pk=waiting.pk).delete()
    return errors | set(attempts.values_list("error", flat=True))


@pytest.fixture
def stored(alice: User) -> Webhook:
    return factories.webhook(alice, max_retries=1)


@pytest.mark.parametrize("table", WRITTEN)
def test_what_is_written_so_is_neither_stored_nor_reached(
    api: Client, stored: Webhook, wanted: list[Any], table: str
) -> None:
    for url in WRITTEN[table]:
        assert (url, try_to_store(api, stored, url)) == (url, (["url"], ["url"]))
        if len(url) <= 2_000 and "\0" not in url:  # else no database has it
            errors = try_to_reach(api, stored, url)
            assert (url, errors - {"invalid_url", "blocked_address"}) == (url, set())
        assert (url, wanted) == (url, [])


@pytest.mark.parametrize("name", NAMES)
def test_a_name_of_the_inside_is_not_reached(
    api: Client, stored: Webhook, wanted: list[Any], resolver: None, name: str
) -> None:
    fields = try_to_store(api, stored, https(name))
    assert fields in ((["url"], ["url"]), ([], []))  # most are seen when they are resolved only
    errors = try_to_reach(api, stored, https(name))
    assert (errors, wanted) in (({"blocked_address"}, []), ({"invalid_url"}, []))


@pytest.mark.parametrize("table", TO_METADATA)
def test_the_secrets_of_a_cloud_stay_closed_when_all_is_open(
    api: Client, stored: Webhook, wanted: list[Any], settings: Settings, table: str
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = WIDE_OPEN
    for url in TO_METADATA[table]:
        assert (url, try_to_store(api, stored, url)) == (url, (["url"], ["url"]))
        if "\0" not in url:
            errors = try_to_reach(api, stored, url)
            assert (url, errors - {"invalid_url", "blocked_address"}) == (url, set())
        assert (url, wanted) == (url, [])


@pytest.mark.parametrize("is_open", [False, True])
@pytest.mark.parametrize("name", METADATA_NAMES)
def test_a_name_of_a_clouds_secrets_is_not_reached(
    api: Client,
    stored: Webhook,
    wanted: list[Any],
    settings: Settings,
    resolver: None,
    name: str,
    is_open: bool,
) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = WIDE_OPEN if is_open else []
    url = f"http://{name}:8000/" if is_open else https(name)
    assert try_to_reach(api, stored, url) == {"blocked_address"}
    assert wanted == []


def test_the_check_of_certificates_is_not_the_check_of_addresses(
    api: Client, alice: User, wanted: list[Any], resolver: None
) -> None:
    stored = factories.webhook(alice, max_retries=1, verify_ssl=False)
    for url in (*WRITTEN["private"], *WRITTEN["metadata"], *map(https, METADATA_NAMES)):
        assert (url, try_to_reach(api, stored, url)) == (url, {"blocked_address"})
    assert wanted == []


def test_what_is_allowed_would_be_reached(
    api: Client, stored: Webhook, wanted: list[Any], settings: Settings
) -> None:
    # The recorder records: else none of the above would prove a thing.
    settings.WEBHOOK_ALLOWED_NETWORKS = WIDE_OPEN
    assert try_to_store(api, stored, "http://127.0.0.1:6379/") == ([], [])
    assert try_to_reach(api, stored, "http://127.0.0.1:6379/") == {"refused"}
    assert wanted == [("127.0.0.1", 6379)] * 4
