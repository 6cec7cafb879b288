"""Memory that the request bodies of one process share."""

import asyncio
from collections.abc import Awaitable, Iterator
from typing import Any, cast

import pytest

from config.serving.bodies import SMALL, Bodies
from config.serving.refusals import Refusal

LARGE = SMALL + 1


class Sender:
    """Client's body as granian gives it: its pieces, then empty ones, then StopAsyncIteration."""

    def __init__(self, *pieces: bytes, hangs: bool = False) -> None:
        self._pieces, self._hangs = iter(pieces), hangs

    def __aiter__(self) -> "Sender":
        return self

    async def __anext__(self) -> bytes:
        for piece in self._pieces:
            return piece
        if self._hangs:
            await asyncio.Event().wait()
        raise StopAsyncIteration


async def arriving(bodies: Bodies, size: int = LARGE) -> "asyncio.Task[Any]":
    """Start to read a body that has sent `size` bytes and sends no more."""
    sender = Sender(bytes(size), hangs=True)
    reading = asyncio.create_task(bodies.read(cast(Any, sender), {"CONTENT_LENGTH": str(size + 1)}))
    await asyncio.sleep(0)
    return reading


async def arrived(bodies: Bodies, size: int = LARGE) -> Any:
    sender = Sender(bytes(size), b"")
    return await bodies.read(cast(Any, sender), {"CONTENT_LENGTH": str(size)})


async def refusal(reading: Awaitable[Any]) -> int:
    with pytest.raises(Refusal) as refused:
        await reading
    return refused.value.status


def some(shared: int) -> Bodies:
    return Bodies(largest=2 * LARGE, seconds=60, shared=shared)


@pytest.fixture
def loop() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def test_small_bodies_are_always_read(loop: asyncio.Runner) -> None:
    async def main() -> None:
        bodies = some(0)
        for _ in range(100):
            assert await arrived(bodies, SMALL)

    loop.run(main())


def test_the_body_that_has_been_arriving_longest_gives_way(loop: asyncio.Runner) -> None:
    async def main() -> None:
        bodies = some(2 * LARGE)
        first, second = await arriving(bodies), await arriving(bodies)
        assert await arrived(bodies)
        assert await refusal(first) == 503
        assert not second.done()

    loop.run(main())


def test_a_body_that_has_arrived_stays_until_it_is_released(loop: asyncio.Runner) -> None:
    async def main() -> None:
        bodies = some(LARGE)
        first = await arrived(bodies)
        assert await refusal(arrived(bodies)) == 503
        bodies.release(first)
        assert await arrived(bodies)

    loop.run(main())


def test_what_a_refused_body_held_is_free_again(loop: asyncio.Runner) -> None:
    async def main() -> None:
        bodies = some(LARGE)
        for environ in ({"CONTENT_LENGTH": str(LARGE + 1)}, CHUNKED):
            short = Sender(bytes(LARGE), b"", b"")
            assert await refusal(bodies.read(cast(Any, short), dict(environ))) == 400
        assert await arrived(bodies)

    loop.run(main())


CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


def status(sender: Any, **environ: str) -> int:
    """Read a body of at most ten bytes. Return the status of its refusal, or 0 if accepted."""
    bodies = Bodies(largest=10, seconds=0.01)
    try:
        asyncio.run(bodies.read(sender, dict(environ)))
    except Refusal as refused:
        return refused.status
    return 0


@pytest.mark.parametrize(
    ("sender", "environ", "wanted"),
    [
        (Sender(b"abc", b""), {"CONTENT_LENGTH": "3"}, 0),
        (Sender(b"ab", b"c", b""), CHUNKED, 0),
        (Sender(b""), CHUNKED, 0),
        (Sender(b"ab", b""), {"CONTENT_LENGTH": "3"}, 400),
        (Sender(b"ab", b"", b""), CHUNKED, 400),
        (Sender(b"abc", b""), {"CONTENT_LENGTH": "3", **CHUNKED}, 400),
        (Sender(b"a", hangs=True), {"CONTENT_LENGTH": "3"}, 408),
        (Sender(b"a", hangs=True), CHUNKED, 408),
        (Sender(hangs=True), {"CONTENT_LENGTH": "11"}, 413),
        (Sender(b"a" * 6, b"b" * 6, b""), CHUNKED, 413),
    ],
)
def test_a_body_is_refused_for_what_is_wrong_with_it(
    sender: Sender, environ: dict[str, str], wanted: int
) -> None:
    assert status(sender, **environ) == wanted
