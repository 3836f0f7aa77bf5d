"""Work in the background."""

import asyncio
import sys

import pytest

from energia.background import Background


async def test_work_ends_with_the_context() -> None:
    """It is cancelled, and has ended when the context is left."""
    done = list[str]()

    def work(name: str) -> None:
        done.append(name)

    async def sleep(name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            work(name)

    async with Background().running({"one": lambda: sleep("one"), "other": lambda: sleep("other")}):
        await asyncio.sleep(0)
        assert done == []

    assert sorted(done) == ["one", "other"]


async def test_work_that_is_done_is_not_begun_again() -> None:
    """Only a failure is a reason to."""
    background, begun = Background(first_pause=0.001), list[int]()

    async def work() -> None:
        begun.append(1)

    async with background.running({"work": work}):
        await asyncio.sleep(0.02)

    assert (begun, background.failures) == ([1], {"work": 0})


async def test_work_that_exits_has_failed() -> None:
    """`sys.exit` of a plugin does not end the service."""
    background, begun, again = Background(first_pause=0.001), list[int](), asyncio.Event()

    async def work() -> None:
        begun.append(1)
        if len(begun) == 1:
            sys.exit(3)
        again.set()
        await asyncio.sleep(60)

    async with background.running({"work": work}), asyncio.timeout(10):
        await again.wait()

    assert background.recent()["work"].error == "RuntimeError: it calls sys.exit(3)"


@pytest.mark.parametrize("error", [RuntimeError("odd"), asyncio.CancelledError()])
async def test_what_fails_is_begun_again_and_told(error: BaseException) -> None:
    """It is counted and remembered; a library that cancels our work has not ended it either."""
    background, begun, recovered = Background(first_pause=0.001), list[int](), asyncio.Event()

    async def work() -> None:
        begun.append(1)
        if len(begun) <= 3:
            raise error
        recovered.set()
        await asyncio.sleep(60)

    async with background.running({"work": work}), asyncio.timeout(10):
        await recovered.wait()

    assert background.failures == {"work": 3}
    assert background.recent()["work"].error == f"{type(error).__name__}: {error}".removesuffix(
        ": "
    )
    assert background.recent(within=0) == {}


async def test_a_failure_is_of_one_alone() -> None:
    """Neither the others nor the context hear of it; what it says has no password."""
    background, beats = Background(), list[int]()

    async def fail() -> None:
        raise RuntimeError("postgresql://u:hush@h/d")

    async def beat() -> None:
        while True:
            beats.append(len(beats))
            await asyncio.sleep(0)

    async with background.running({"fail": fail, "beat": beat}):
        for _ in range(5):
            await asyncio.sleep(0)

    assert len(beats) > 1
    assert background.recent()["fail"].error == "RuntimeError: postgresql://u:***@h/d"
