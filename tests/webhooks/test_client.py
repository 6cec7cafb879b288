"""URLs and addresses that the webhook client accepts: public ones in the usual spelling."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.web import guarded_http, networks, targets
from core.web.targets import Policy, SendError, Target
from tests.webhooks.receivers import name_server, no_way_out

PUBLIC = "93.184.216.34"
WIDE_OPEN = Policy(allowed=[ip_network("0.0.0.0/0"), ip_network("::/0")])


def knows(*addresses: str) -> targets.Resolver:
    return lambda _name, _port: addresses


def post(url: str, policy: Policy) -> guarded_http.Answer:
    return guarded_http.post(url, body=b"{}", headers={}, timeout=1, verify=True, policy=policy)


def refusal_of_check(url: str, policy: Policy) -> str:
    """Return the code of the refusal, or an empty text if the URL is accepted."""
    try:
        guarded_http.check(url, policy)
    except SendError as error:
        return error.code
    return ""


def refusal_of_post(url: str, policy: Policy) -> str:
    try:
        post(url, policy)
    except SendError as error:
        return error.code
    return ""


# --- URLs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://example.com", Target("https", "example.com", None, 443, "/")),
        ("HTTPS://Example.COM/Hook", Target("https", "example.com", None, 443, "/Hook")),
        ("https://example.com.:8443/", Target("https", "example.com", None, 8443, "/")),
        ("https://example.com?a=b/c@d:e", Target("https", "example.com", None, 443, "/?a=b/c@d:e")),
        ("https://a.com/a;b?c=%20#d", Target("https", "a.com", None, 443, "/a;b?c=%20")),
        ("https://münchen.example/", Target("https", "xn--mnchen-3ya.example", None, 443, "/")),
        ("https://xn--mnchen-3ya.com/", Target("https", "xn--mnchen-3ya.com", None, 443, "/")),
        ("https://a_b.example/", Target("https", "a_b.example", None, 443, "/")),
        ("http://9.9.9.9:80/", Target("http", "9.9.9.9", ip_address("9.9.9.9"), 80, "/")),
        (
            "https://[2606:4700:0::1111]:443/x",
            Target("https", "2606:4700::1111", ip_address("2606:4700::1111"), 443, "/x"),
        ),
    ],
)
def test_a_url_is_taken_apart(url: str, target: Target) -> None:
    assert targets.parse(url) == target


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://example.com/", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("https://example.com:8443/", "example.com:8443"),
        ("http://example.com:443/", "example.com:443"),
        ("https://[2606:4700::1111]:8443/", "[2606:4700::1111]:8443"),
    ],
)
def test_the_host_header_names_an_unusual_port(url: str, host: str) -> None:
    assert targets.parse(url).host == host


def test_a_url_has_an_end() -> None:
    longest = "https://example.com/" + "a" * 1_980
    assert targets.parse(longest).path == "/" + "a" * 1_980
    with pytest.raises(SendError, match="invalid_url"):
        targets.parse(longest + "a")


@pytest.mark.parametrize("name", ["straße.example", "①②.example", "ⓔxample.com", "a\u0301.example"])
def test_a_name_that_another_would_read_as_another_is_refused(name: str) -> None:
    # IDNA 2003, which Python speaks, makes strasse.example of the first; browsers do not.
    with pytest.raises(SendError, match="invalid_url"):
        targets.parse(f"https://{name}/")


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_target_or_no_url(tail: str) -> None:
    for url in (tail, f"https://{tail}", f"https://{tail}.example/", f"https://a.example/{tail}"):
        try:
            target = targets.parse(url)
        except SendError as error:
            assert error.code == "invalid_url"
        else:
            line = target.host + target.path
            assert line.isascii()
            assert line.isprintable()
            assert " " not in line
            assert targets.parse(f"{target.scheme}://{line}") == target


PIECES = {
    "scheme": ["https", "http", "HTTPS", "ftp"],
    "host": [
        "example.com",
        "localhost",
        "a.internal",
        "127.0.0.1",
        "9.9.9.9",
        "127.1",
        "[::1]",
        "[2606:4700::1111]",
        "169.254.169.254",
        "user@example.com",
        "1.2.3.4.5",
        "münchen.de",
    ],
    "port": ["", ":443", ":8443", ":80", ":22", ":0", ":65536", ":"],
}
POLICIES = [
    Policy(resolve=knows(PUBLIC)),
    Policy(resolve=knows(PUBLIC), ports=frozenset({443, 22})),
    Policy(resolve=knows(PUBLIC), allowed=[ip_network("127.0.0.0/8")]),
    Policy(resolve=knows(PUBLIC), allowed=WIDE_OPEN.allowed),
]


@pytest.mark.parametrize("policy", POLICIES)
def test_what_check_refuses_post_refuses_and_without_a_lookup(policy: Policy) -> None:
    looked_up: list[str] = []

    def resolve(name: str, _port: int) -> Sequence[str]:
        looked_up.append(name)
        return [PUBLIC]

    asking = Policy(allowed=policy.allowed, ports=policy.ports, resolve=resolve)
    refused = 0
    for scheme in PIECES["scheme"]:
        for host in PIECES["host"]:
            for port in PIECES["port"]:
                url = f"{scheme}://{host}{port}/"
                with no_way_out() as wanted:
                    code, of_post = refusal_of_check(url, asking), refusal_of_post(url, asking)
                if code:
                    refused += 1
                    assert (url, of_post, wanted, looked_up) == (url, code, [], [])
                looked_up.clear()
    assert refused > 200


# --- addresses --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "9.9.9.9",
        "99.255.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "192.0.1.1",
        "223.255.255.255",
        "2606:4700::1111",
        "2001:4860:4860::8888",
        "2a00::1",
    ],
)
def test_an_address_of_the_public_internet_is_public(address: str) -> None:
    assert networks.is_public(ip_address(address))


def test_whatever_python_calls_private_is_not_public() -> None:
    # A few blocks within them are anycast services of the public; we lose nothing by them.
    for number in range(0, 2**32, 65_521):
        address = ip_address(number)
        assert address.is_global or not networks.is_public(address)


def test_one_address_that_may_not_be_reached_spoils_the_name() -> None:
    with no_way_out() as wanted:
        for addresses in ([PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC] * 999 + ["::1"]):
            code = refusal_of_post("https://a.example/", Policy(resolve=knows(*addresses)))
            assert code == "blocked_address"
    assert wanted == []


def test_of_thousands_of_addresses_each_is_checked_and_few_are_tried() -> None:
    many = [str(ip_address("93.184.0.0") + number) for number in range(5_000)]
    with no_way_out() as wanted:
        assert refusal_of_post("https://a.example/", Policy(resolve=knows(*many))) == "refused"
        assert wanted == [(address, 443) for address in many[:16]]
        wanted.clear()
        spoilt = Policy(resolve=knows(*many, "127.0.0.1"))
        assert refusal_of_post("https://a.example/", spoilt) == "blocked_address"
        assert wanted == []


def test_the_next_address_is_tried_where_one_refuses() -> None:
    with no_way_out() as wanted:
        policy = Policy(resolve=knows(PUBLIC, "2606:4700::1111", PUBLIC))
        assert refusal_of_post("https://a.example:8443/", policy) == "refused"
    assert wanted == [(PUBLIC, 8443), ("2606:4700::1111", 8443)]


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%2", "fe80::a9fe:a9fe%lo"])
def test_an_address_with_a_scope_is_never_reached(address: str) -> None:
    with no_way_out() as wanted:
        policy = Policy(resolve=knows(address), allowed=WIDE_OPEN.allowed)
        assert refusal_of_post("https://a.example/", policy) == "blocked_address"
    assert wanted == []


@pytest.mark.parametrize("found", [[], ["nonsense"], [""]])
def test_a_name_without_a_true_address_is_no_name(found: list[str]) -> None:
    assert refusal_of_post("https://a.example/", Policy(resolve=knows(*found))) == "dns"


def test_a_resolver_that_fails_is_no_more_than_a_failed_attempt() -> None:
    for error in (OSError("no such name"), UnicodeError("label too long")):

        def resolve(_name: str, _port: int, error: Exception = error) -> Sequence[str]:
            raise error

        assert refusal_of_post("https://a.example/", Policy(resolve=resolve)) == "dns"


def test_the_machines_own_resolver_is_asked() -> None:
    # Names of the loopback, which every machine knows; forbidden only once it is resolved.
    with no_way_out() as wanted:
        allowed = [ip_network("10.0.0.0/8")]
        code = refusal_of_post("https://localhost/", Policy(allowed=allowed))
    assert (code, wanted) == ("blocked_address", [])


def test_a_name_that_flips_a_thousand_times_is_only_reached_where_it_was_checked() -> None:
    private = ["127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.0.1"]
    turns = [turn for address in private for turn in ([PUBLIC], [address])]
    with name_server(*turns) as server, no_way_out() as wanted:
        policy = Policy(resolve=server.resolve)
        codes = [refusal_of_post("https://rebind.example/", policy) for _ in range(1_002)]
    # One question an attempt: what was connected to is what was checked.
    assert server.asked == ["rebind.example"] * 1_002
    assert codes == ["refused", "blocked_address"] * 501
    assert wanted == [(PUBLIC, 443)] * 501


def test_a_name_with_a_public_and_a_private_address_is_not_reached() -> None:
    with name_server([PUBLIC, "10.0.0.1"], ["10.0.0.1", PUBLIC]) as server, no_way_out() as wanted:
        policy = Policy(resolve=server.resolve)
        codes = [refusal_of_post("https://rebind.example/", policy) for _ in range(20)]
    assert (codes, wanted) == (["blocked_address"] * 20, [])


def test_the_answer_to_a_second_question_would_not_matter() -> None:
    with name_server([PUBLIC], ["127.0.0.1"]) as server, no_way_out() as wanted:
        policy = Policy(resolve=server.resolve)
        assert refusal_of_post("https://rebind.example/", policy) == "refused"
        assert server.resolve("rebind.example", 443) == ["127.0.0.1"]
    assert wanted == [(PUBLIC, 443)]
