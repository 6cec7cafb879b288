"""Settings from the environment. Each is read and checked, or refused in one clear line."""

import base64
import json
import os
import re
import secrets
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import getaddresses
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from environ import Env

T = TypeVar("T")

_KEY_BYTES = 32
_SECRET_KEY_LENGTH = 50
_WINDOW_SECONDS = {"s": 1, "min": 60, "h": 3_600, "day": 86_400}


def refuse(name: str, problem: str) -> NoReturn:
    """Stop the start with one line, without a traceback, and never show the value itself."""
    sys.exit(f"parley: {name} {problem}")


def read(name: str, default: T, parse: Callable[[str], T]) -> T:
    """Return the variable as `parse` reads it. The default if it is unset or empty."""
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return parse(text)
    except ValueError as error:
        refuse(name, str(error))


def boolean(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError("must be true or false")
    return words[text.lower()]


def whole_number(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise ValueError("must be a whole number")
    return int(text)


def positive_number(text: str) -> int:
    number = whole_number(text)
    if not number:
        raise ValueError("must be greater than 0")
    return number


def names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(name) for name in names(text)]
    except ValueError:
        raise ValueError("must be networks such as 10.1.0.0/16,fd12::/48") from None


def ports(text: str) -> list[int]:
    found = [int(name) if name.isascii() and name.isdigit() else 0 for name in names(text)]
    if not all(0 < port < 65_536 for port in found):
        raise ValueError("must be ports such as 443,8443")
    return found


def json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        raise ValueError("must be a JSON object") from None
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")
    return value


def service_account(text: str) -> dict[str, Any]:
    """Return a Google service account, given as a JSON object or as the path of a file with one."""
    if not text.startswith("{"):
        try:
            text = Path(text).read_text(encoding="utf-8")
        except (OSError, ValueError):  # their own words repeat the path
            raise ValueError("must be a service account as JSON or a file that holds one") from None
    account = json_object(text)
    if account.get("type") != "service_account":
        raise ValueError('must be a service account: its "type" is another')
    for name in ("project_id", "private_key", "client_email", "token_uri"):
        if not isinstance(account.get(name), str) or not account[name]:
            raise ValueError(f'must be a service account: it has no "{name}"')
    return account


def database(text: str) -> dict[str, Any]:
    """Return Django's settings for a database URL. An option keeps its spelling."""
    engine = Env.DB_SCHEMES.get(text.partition("://")[0].lower())
    if engine not in ("django.db.backends.sqlite3", "django.db.backends.postgresql"):
        raise ValueError("must be a postgres:// or sqlite:// address")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            config: dict[str, Any] = Env.db_url_config(text) | _hosts(text)
    except Exception:  # its own words may repeat a password
        raise ValueError(
            "names a host or a port that cannot be read (before the @, / is written as %2F)"
            if "postgresql" in engine
            else "must look like sqlite:////path"
        ) from None
    written = dict(parse_qsl(text.partition("?")[2]))
    # django-environ takes the password 0123 for the number 123.
    for name, value in config.get("OPTIONS", {}).items():
        if str(value) != written.get(name, str(value)):
            config["OPTIONS"][name] = written[name]
    return config


def _hosts(text: str) -> dict[str, str]:
    """Return the hosts of a URL that names several, and a port for each.

    django-environ leaves out the port of a host that has none, which moves the others.
    """
    hosts = re.sub(r"^\w+://([^/?]*@)?", "", text).partition("/")[0].partition("?")[0].split(",")
    if len(hosts) == 1:
        return {}
    found = [re.fullmatch(r"(\[[\da-fA-F:.]+\]|[^:\[\]]+)(?::(\d+))?", host) for host in hosts]
    pairs = [(each[1].strip("[]"), each[2] or "5432") for each in found if each]
    if len(pairs) < len(hosts):
        raise ValueError("hosts")
    return {
        "HOST": ",".join(host for host, _port in pairs),
        "PORT": ",".join(port for _host, port in pairs),
    }


def connect_seconds(text: str) -> int:
    """Return the seconds that a host has to take a connection. libpq takes 1 for 2."""
    number = whole_number(text)
    if number < 2:
        raise ValueError("must be at least 2")
    return number


def pooler(text: str) -> str:
    if text not in ("session", "transaction"):
        raise ValueError("must be session or transaction")
    return text


def email(text: str) -> dict[str, Any]:
    """Return Django's settings for an email URL such as smtp+tls://user:password@host:587."""
    try:
        return {key: value for key, value in Env.email_url_config(text).items() if value}
    except Exception:  # its own words may repeat a password
        raise ValueError(
            "must be smtp://, smtp+tls://, smtp+ssl://, consolemail:// or filemail://"
        ) from None


def sender(text: str) -> str:
    """Return a From header: one address, with or without a name."""
    found = getaddresses([text])
    if len(found) != 1 or not re.fullmatch(r"[^\s@<>,;]+@[^\s@<>,;]+", found[0][1]):
        raise ValueError("must look like Parley <parley@example.com>, or parley@example.com")
    if not text.isprintable():
        raise ValueError("must be one line")
    return text


def http_url(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#@]+", text.rstrip("/")):
        raise ValueError("must look like https://parley.example, without a path")
    return text.rstrip("/")


def address(text: str) -> str:
    if not re.fullmatch(r"https?://[^/\s?#@]+(/[^\s?#@]*)?", text):
        raise ValueError("must look like http://collector.example:4318")
    return text


def sentry_dsn(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+@[^\s/@]+/([^\s@]+/)?\d+", text):
        raise ValueError("must look like https://key@sentry.example/1")
    return text


def share(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise ValueError("must be a number from 0 to 1")
    return number


def log_level(text: str) -> str:
    if text.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        raise ValueError("must be DEBUG, INFO, WARNING, ERROR or CRITICAL")
    return text.upper()


def folder(text: str) -> Path:
    """Return a folder that can be written to. It is made if it does not exist."""
    path = Path(text).resolve()
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        path = Path()
    if path == Path() or not os.access(path, os.W_OK):
        raise ValueError("must be a folder that can be written to")
    return path


def made_folder(name: str, path: Path) -> Path:
    """Return the folder, which is made if it does not exist. It may be read-only."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        refuse(name, f"must be a folder: {os.strerror(error.errno or 0)}")
    return path


@contextmanager
def writing_to(name: str) -> Iterator[None]:
    """Stop the process with one line if the code inside cannot write to this folder."""
    try:
        yield
    except OSError as error:
        problem = os.strerror(error.errno or 0)
        refuse(name, f"must be a folder that can be written to: {problem}")


def redis_url(text: str) -> str:
    """Return the address in the one form that redis-py and Celery read alike.

    With `rediss://` it says that the certificate and the name in it are verified. Celery's own
    default verifies neither.
    """
    if "sentinel" in text.partition("://")[0]:
        raise ValueError(
            "must name one Redis: in front of Sentinel put a proxy that follows it, such as HAProxy"
        )
    if not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must start with redis://, rediss:// or unix://")
    try:
        parts = urlsplit(text)
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=True))
        is_socket = parts.scheme == "unix"
        number = options.pop("db", "0") if is_socket else parts.path.strip("/") or "0"
        is_placed = bool(parts.hostname)
        if is_socket:
            is_placed = len(parts.path) > 1 and not parts.hostname
        is_whole = is_placed and whole_number(number) >= 0 and parts.port != 0
    except ValueError:
        is_whole = False
    if not is_whole or {";", "#"} & set(text):  # Celery reads ; as the end of an address
        raise ValueError(
            "must look like redis://user:password@host:6379/0, the same with rediss://, or"
            " unix:///path?db=0; a special character of the password is written as %3B and the like"
        )
    if not options.keys() <= (_REDIS_TLS if parts.scheme == "rediss" else set()):
        raise ValueError(f"takes no options except {', '.join(sorted(_REDIS_TLS))} of rediss://")
    if is_socket:
        return f"unix://{parts.netloc}{parts.path}?db={number}"
    if parts.scheme == "rediss":
        _load_certificates(**options)
        options |= {"ssl_cert_reqs": "required", "ssl_check_hostname": "true"}
    return parts._replace(path=f"/{number}", query=urlencode(options)).geturl()


_REDIS_TLS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"}


def _load_certificates(
    ssl_ca_certs: str = "", ssl_certfile: str = "", ssl_keyfile: str = ""
) -> None:
    """Raise ValueError where a connection could not load these files."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        if ssl_ca_certs:
            context.load_verify_locations(ssl_ca_certs)
    except OSError:
        raise ValueError("names a file in ssl_ca_certs that has no certificates") from None
    try:
        if ssl_certfile or ssl_keyfile:
            context.load_cert_chain(ssl_certfile, ssl_keyfile or None, password="")
    except OSError:
        raise ValueError(
            "names files in ssl_certfile and ssl_keyfile that are no certificate with its key"
        ) from None


def broker_url(redis: str) -> str:
    """Return what `redis_url` has returned in Celery's spelling."""
    parts = urlsplit(redis)
    if parts.scheme != "unix":
        return redis
    number = parts.query.removeprefix("db=")
    return f"redis+socket://{parts.netloc}{parts.path}?virtual_host={number}"


def rate_limits(text: str) -> dict[int, int]:
    """Return {1: 10, 60: 100} for `10/s,100/min`: requests per window, by its length in seconds."""
    limits = {}
    for part in names(text):
        count, _, unit = part.partition("/")
        if unit not in _WINDOW_SECONDS or not count.isdigit() or int(count) < 1:
            raise ValueError("must look like 10/s,100/min,1000/h,10000/day")
        limits[_WINDOW_SECONDS[unit]] = int(count)
    if 60 not in limits:
        raise ValueError("must name a limit per min: the headers tell that window")
    return dict(sorted(limits.items()))


def encryption_keys(text: str) -> list[str]:
    """Return the keys of a comma separated list of base64 keys of 32 bytes.

    The first one encrypts.
    """
    keys = names(text)
    for key in keys:
        try:
            raw = base64.b64decode(key, validate=True)
        except ValueError:  # not base64, or not even ASCII
            raise ValueError("holds a key that is not base64") from None
        if len(raw) != _KEY_BYTES:
            raise ValueError("holds a key that is not 32 bytes long")
    return keys


def secret_key(text: str) -> str:
    """Return the key if it is as long as Django requires.

    So a file that was cut short is refused.
    """
    if not re.fullmatch(rf"[!-~]{{{_SECRET_KEY_LENGTH},}}", text):
        raise ValueError(
            f"must hold one line of at least {_SECRET_KEY_LENGTH} ASCII characters without spaces"
        )
    return text


def new_encryption_key() -> str:
    return base64.b64encode(os.urandom(_KEY_BYTES)).decode()


def new_secret_key() -> str:
    return secrets.token_urlsafe(64)


def has_content(path: Path) -> bool:
    """Tell whether the file exists and is not empty.

    SQLite creates an empty file when it connects.
    """
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def kept_secret(
    path: Path, make: Callable[[], str], parse: Callable[[str], T], *, is_first_start: bool
) -> T:
    """Read the secret in a file of DATA_DIR. Only the first start makes one, readable by its owner.

    A file that is lost or damaged later stops the start. A new secret would not open the values
    that the old one has sealed.
    """
    name = f"{path.name} in DATA_DIR"
    remedy = "restore it from the backup, or put a new one there ('Lost keys' in docs/deploy.md)"
    try:
        if is_first_start and not path.exists():
            _make_secret(path, make())
        text = path.read_text().strip()
    except FileNotFoundError:
        refuse(name, f"is missing, but there is a database: {remedy}")
    except OSError as error:
        refuse(name, f"cannot be read or made: {os.strerror(error.errno or 0)}")
    except UnicodeDecodeError:
        refuse(name, f"is not text: {remedy}")
    if not text:
        refuse(name, f"is empty: {remedy}")
    try:
        return parse(text)
    except ValueError as error:
        refuse(name, f"{error}: {remedy}")


def _make_secret(path: Path, text: str) -> None:
    """Write a whole file or none. If several processes do so at once, the first file stays."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())  # else a power cut leaves an empty file of that name
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
