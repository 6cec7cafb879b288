"""Firebase outages: the push channel gives up long before its lease ends."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from firebase_admin import App
from pytest_django import Settings

from core.ops import private_names
from notifications.domain import channels
from tests import wire


def give_up() -> tuple[str, float]:
    """Return the error of a push that fails, and the seconds until the channel gave up."""
    content: channels.PushContent = {"title": "Ada asks", "body": "Monday", "data": {}}
    began = time.monotonic()
    with pytest.raises(channels.ChannelError) as failure:
        channels.PushChannel().send(address="a-phone", content=content, message_id="1")
    return str(failure.value), time.monotonic() - began


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "_PUSH_SECONDS", 0.2)


@pytest.mark.usefixtures("firebase")
def test_threads_that_push_at_once_share_one_client() -> None:
    gate = threading.Barrier(16)

    def ask(_number: int) -> App:
        gate.wait(10)
        return channels.firebase()

    with ThreadPoolExecutor(16) as pool:
        apps = list(pool.map(ask, range(16)))
    assert all(app is apps[0] for app in apps)


def test_a_token_endpoint_that_says_nothing(firebase: wire.Firebase, settings: Settings) -> None:
    with wire.silent_server() as (address, connected):
        settings.FIREBASE_CREDENTIALS["token_uri"] = f"http://{address}/token"
        error, seconds = give_up()
        assert connected.is_set()
    assert (error, firebase.received) == ("TransportError", [])
    assert seconds < 5


def test_a_server_that_says_nothing(firebase: wire.Firebase, settings: Settings) -> None:
    with wire.silent_server() as (address, _connected):
        settings.FIREBASE_ENDPOINT = f"http://{address}/{{0}}"
        error, seconds = give_up()
    assert (error, firebase.sign_ins) == ("UNAVAILABLE", 1)
    assert seconds < 5


def test_a_server_that_does_not_prove_who_it_is(
    firebase: wire.Firebase, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_names.firebase_retries(), "backoff_factor", 0.5)  # its own
    settings.FIREBASE_ENDPOINT = firebase.endpoint.replace("http://", "https://")
    error, seconds = give_up()
    assert (error, firebase.received) == ("UNAVAILABLE", [])
    assert seconds < 5
