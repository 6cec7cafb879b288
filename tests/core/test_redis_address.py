"""`REDIS_URL`: cache, rate limits, readiness and Celery read it alike, certificates included."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.core.cache.backends.redis import RedisCache
from kombu import Connection
from kombu.exceptions import OperationalError
from structlog.testing import capture_logs

from core.api.throttling import Shared
from core.ops import circuit, environment
from core.ops.cache import ForgivingRedisCache
from tests import services
from tests.core.starting import refusal
from tests.private_names import close_redis
from tests.tls import Authority, in_front_of

pytestmark = pytest.mark.look  # at a Valkey of its own: once is enough

PASSWORD = "hunter2/;?#@%"
WRITTEN = quote(PASSWORD, safe="")
DAY = 86_400


@pytest.fixture(scope="module")
def server() -> Iterator[services.Valkey]:
    """Yield a Valkey that asks for a password, with a unix socket beside its port."""
    with services.valkey() as server, redis.Redis.from_url(server.url) as client:
        client.config_set("requirepass", PASSWORD)
        yield server


@pytest.fixture
def speaking_tls(server: services.Valkey) -> Iterator[Callable[[ssl.SSLContext], int]]:
    """Return a starter of a proxy that speaks TLS in front of the server: its port."""
    with ExitStack() as stack:
        port = urlsplit(server.url).port
        assert port
        yield lambda context: stack.enter_context(in_front_of(port, context))


def read(text: str) -> str:
    return environment.redis_url(text)


# --- what opens a connection ----------------------------------------------------------------------


def use_cache(url: str) -> None:
    """Set and get as the shared cache does, without its fallback."""
    cache = RedisCache(url, settings_of_the_cache())
    try:
        cache.set("key", "value")
        assert cache.get("key") == "value"
    finally:
        close_redis(cache)


def settings_of_the_cache() -> dict[str, Any]:
    return {"OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 5}}


def use_limits(url: str) -> None:
    """Count a request by the limiter, in Redis itself."""
    limiter = Shared({60: 10, DAY: 100}, url)
    verdict = limiter._ask("someone")
    assert not verdict.refused


def use_probe(url: str) -> None:
    with circuit.client(url, seconds=5) as client:
        client.ping()


def use_broker(url: str) -> None:
    """Send a message by the Celery settings that `config/settings.py` makes, and take it again."""
    with connection(url) as broker, closing(broker.SimpleQueue("parley-test")) as queue:
        queue.put("hint")
        message = queue.get(timeout=5)
        assert message.payload == "hint"
        message.ack()


def connection(url: str) -> Connection:
    app = Celery("test", broker=environment.broker_url(url), set_as_current=False)
    made: Connection = app.connection_for_write(
        transport_options={**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_retries": 0}
    )
    return made


USES = [use_cache, use_limits, use_probe, use_broker]
each_use = pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)


# --- certificates ---------------------------------------------------------------------------------


@each_use
def test_a_certificate_of_the_authority_that_is_named_is_accepted(
    speaking_tls: Callable[[ssl.SSLContext], int], tmp_path: Path, use: Callable[[str], None]
) -> None:
    authority = Authority(tmp_path)
    context, asked = authority.serves("localhost")
    address = f"rediss://:{WRITTEN}@localhost:{speaking_tls(context)}/3"
    use(read(f"{address}?ssl_ca_certs={quote(str(authority.path))}"))
    assert set(asked) == {"localhost"}


REFUSED: dict[str, tuple[str, dict[str, Any], str]] = {
    "another authority": ("localhost", {"self_signed": True}, "self-signed certificate"),
    "another name": ("cache.example", {}, "Hostname mismatch"),
    "expired": ("localhost", {"days": -1}, "certificate has expired"),
}


@each_use
@pytest.mark.parametrize("wrong", REFUSED)
def test_a_certificate_that_proves_nothing_is_refused(
    speaking_tls: Callable[[ssl.SSLContext], int],
    tmp_path: Path,
    use: Callable[[str], None],
    wrong: str,
) -> None:
    name, fault, reason = REFUSED[wrong]
    authority = Authority(tmp_path)
    context, _asked = authority.serves(name, **fault)
    address = f"rediss://:{WRITTEN}@localhost:{speaking_tls(context)}/0"
    url = read(f"{address}?ssl_ca_certs={quote(str(authority.path))}")
    with pytest.raises((redis.ConnectionError, OperationalError)) as refused:
        use(url)
    said = circuit.reason_of(refused.value)
    assert said.startswith(f"certificate refused: {reason}")
    assert "hunter2" not in said


@each_use
def test_without_an_authority_in_the_address_those_of_the_machine_count(
    speaking_tls: Callable[[ssl.SSLContext], int], tmp_path: Path, use: Callable[[str], None]
) -> None:
    context, _asked = Authority(tmp_path).serves("localhost")
    url = read(f"rediss://:{WRITTEN}@localhost:{speaking_tls(context)}/0")
    with pytest.raises((redis.ConnectionError, OperationalError)) as refused:
        use(url)
    assert circuit.reason_of(refused.value).startswith("certificate refused: unable to get")


def test_each_says_so_in_one_line_and_goes_on(
    speaking_tls: Callable[[ssl.SSLContext], int],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    authority = Authority(tmp_path)
    context, _asked = authority.serves("localhost", days=-1)
    address = f"rediss://:{WRITTEN}@localhost:{speaking_tls(context)}/0"
    url = read(f"{address}?ssl_ca_certs={quote(str(authority.path))}")
    with capture_logs() as lines:
        cache = ForgivingRedisCache(url, settings_of_the_cache())
        for _time in range(3):
            cache.set("key", "alone")
            assert cache.get("key") == "alone"
        close_redis(cache)
        limiter = Shared({60: 10, DAY: 100}, url)
        assert [limiter.take("someone").used for _time in range(3)] == [1, 2, 3]
    reason = "certificate refused: certificate has expired"
    assert [(line["event"], line["error"]) for line in lines] == [
        ("cache_alone", reason),
        ("rate_limits_alone", reason),
    ]


# --- sockets --------------------------------------------------------------------------------------


@each_use
@pytest.mark.parametrize("number", [None, 3])
def test_a_socket_of_the_machine(
    tmp_path: Path, use: Callable[[str], None], number: int | None
) -> None:
    with services.valkey(unix_socket=tmp_path / "redis.sock") as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("requirepass", PASSWORD)
        address = f"unix://:{WRITTEN}@{tmp_path}/redis.sock"
        use(read(address if number is None else f"{address}?db={number}"))
        with redis.Redis.from_url(server.url, password=PASSWORD) as client:
            used = set(client.info("keyspace"))
        assert used <= {f"db{number or 0}"}


# --- the start ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["sentinel", "redis+sentinel", "rediss+sentinel"])
def test_sentinel_is_refused_with_what_to_use_instead(tmp_path: Path, scheme: str) -> None:
    line = refusal(DATA_DIR=str(tmp_path), REDIS_URL=f"{scheme}://:pass-word@a:26379;b:26379/x")
    assert line == (
        "parley: REDIS_URL must name one Redis: in front of Sentinel put a proxy that follows it,"
        " such as HAProxy"
    )


@pytest.mark.parametrize(
    "address",
    [
        "redis://",
        "redis://:pass-word@/0",
        "redis://pass;word@host/0",
        "redis://:pass#word@host/0",
        "redis://:pass/word@host/0",
        "redis://host/pass-word",
        "redis://host:0/0",
        "rediss://host:pass-word/0",
        "unix://pass-word",
        "unix://:pass-word@",
        "unix://:pass-word@/",
        "unix:///run/redis.sock?db=pass-word",
        "unix:///run/redis.sock?pass-word",
        "redis://host/0?ssl_ca_certs=/pass-word",
        "rediss://host/0?ssl_cert_reqs=none",
        "rediss://host/0?ssl_check_hostname=false",
        "rediss://host/0?credential_provider=pass.word",
        "rediss://host/0?ssl_ca_certs=/pass-word.pem",
        f"rediss://host/0?ssl_ca_certs={__file__}",
        f"rediss://host/0?ssl_certfile={__file__}",
        f"rediss://host/0?ssl_keyfile={__file__}",
    ],
)
def test_an_address_that_one_of_them_would_read_otherwise_stops_the_start(
    tmp_path: Path, address: str
) -> None:
    line = refusal(DATA_DIR=str(tmp_path), REDIS_URL=address)
    assert line.startswith("parley: REDIS_URL ")
    assert "\n" not in line
    for secret in ("pass-word", "pass;word", "pass#word", "pass/word", "pass.word"):
        assert secret not in line


@pytest.mark.parametrize(
    ("address", "read_as", "broker"),
    [
        ("redis://cache", "redis://cache/0", "redis://cache/0"),
        ("redis://u:p%40@cache:6380/2", "redis://u:p%40@cache:6380/2", None),
        (
            "unix:///run/redis.sock",
            "unix:///run/redis.sock?db=0",
            "redis+socket:///run/redis.sock?virtual_host=0",
        ),
        (
            "rediss://cache/1",
            "rediss://cache/1?ssl_cert_reqs=required&ssl_check_hostname=true",
            None,
        ),
    ],
)
def test_both_spellings(address: str, read_as: str, broker: str | None) -> None:
    assert environment.redis_url(address) == read_as
    assert environment.broker_url(read_as) == broker or broker is None
