"""Work in the background."""

import asyncio

from energia.background import background


async def test_work_ends_with_the_context() -> None:
    """It is cancelled, and has ended when the context is left."""
    done = list[str]()

    async def work(name: str) -> None:
        try:
            await asyncio.sleep(60)
        finally:
            done.append(name)

    async with background(work("one"), work("other")):
        await asyncio.sleep(0)
        assert done == []

    assert sorted(done) == ["one", "other"]


async def test_a_failure_ends_one_alone() -> None:
    """Neither the others nor the context hear of it."""
    beats = list[int]()

    async def fail() -> None:
        raise RuntimeError

    async def beat() -> None:
        while True:
            beats.append(len(beats))
            await asyncio.sleep(0)

    async with background(fail(), beat()):
        for _ in range(5):
            await asyncio.sleep(0)

    assert len(beats) > 1
