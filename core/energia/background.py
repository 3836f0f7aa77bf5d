"""Work that goes on while something else is served."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def background(*work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Let coroutines run until the context is left, which cancels them and waits for their ends.

    A failure of one ends that one alone: who loops for ever deals with its own failures, and what
    is served has nothing to do with them.
    """
    tasks = [asyncio.create_task(coroutine) for coroutine in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
